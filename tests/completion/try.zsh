# usage: zsh try.zsh LINE: what zsh's own completion offers after LINE, one word a line: in a shell on a terminal of its own, whose
# compadd also says what it is given.
zmodload zsh/zpty || exit
zpty shell zsh -f -i
zpty -w shell 'PROMPT= RPROMPT= HISTFILE= ; stty -echo; unsetopt zle_bracketed_paste beep; autoload -Uz compinit; compinit -C -d "$COMPDUMP"
source <(gridlane completion zsh)
compadd() {
	local -a hits
	[[ " $* " == *" -"[OAD]" "* ]] && { builtin compadd "$@"; return }
	builtin compadd -A hits "$@"
	(( $#hits )) && print -rl -- "offer:"${^hits} >&2
	builtin compadd "$@"
}
done-now() { compstate[list]= compstate[insert]= ; print -r -- "all:" >&2 }
compprefuncs=() comppostfuncs=(done-now)
bindkey "^I" complete-word
print ready:'
while zpty -r shell line; do [[ $line == *ready:* && $line != *print* ]] && break; done
zpty -n -w shell "$1"$'\t'
while zpty -r shell line; do
	[[ $line == *all:* ]] && break
	[[ $line == *offer:* ]] && print -r -- ${${line##*offer:}//[$'\r\n']/}
done
zpty -d shell
