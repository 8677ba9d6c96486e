# usage: zsh try.zsh LINE: what the function hands to zsh's own _describe and _files after LINE.
compdef() { }
source <(gridlane completion zsh)
_describe() { local entry; for entry in "${(@P)2}"; do print -r -- "${entry%%:*}"; done }
_files() { print -r -- files }
words=("${(@s: :)1}")
CURRENT=$#words
_gridlane
