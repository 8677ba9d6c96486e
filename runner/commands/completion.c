/* gridlane completion: a script for a shell. The scripts are thin: at each key press they ask `gridlane completion
 * words` (completion_words.c), which answers from the tables, so that they never fall behind. */
#include <stdio.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/command.h"
#include "runner/commands/completion.h"

/* bash breaks words at '=', so the line is taken apart by hand, and what stands before '=' is cut off the answers. */
static const char bash_script[] = "# bash completion for gridlane; source <(gridlane completion bash)\n"
                                  "_gridlane() {\n"
                                  "\tlocal line=${COMP_LINE:0:COMP_POINT} current= answer word\n"
                                  "\tlocal -a words\n"
                                  "\tread -ra words <<<\"$line\"\n"
                                  "\tcase $line in *[[:space:]]) words+=('') ;; esac\n"
                                  "\tcurrent=${words[${#words[@]} - 1]}\n"
                                  "\tCOMPREPLY=()\n"
                                  "\twhile IFS= read -r answer; do\n"
                                  "\t\tword=${answer%%$'\\t'*}\n"
                                  "\t\tif [ \"$word\" = :files ]; then\n"
                                  "\t\t\treturn\n"
                                  "\t\tfi\n"
                                  "\t\tcase $word in *=) compopt -o nospace 2>/dev/null ;; esac\n"
                                  "\t\tcase $current in *=*) word=${word#\"${current%%=*}=\"} ;; esac\n"
                                  "\t\tCOMPREPLY+=(\"$word\")\n"
                                  "\tdone < <(\"$1\" completion words -- \"${words[@]:1}\" 2>/dev/null)\n"
                                  "}\n"
                                  "complete -o default -F _gridlane gridlane\n";

static const char zsh_script[] =
        "#compdef gridlane\n"
        "# zsh completion for gridlane; source <(gridlane completion zsh), or keep it as _gridlane in $fpath\n"
        "_gridlane() {\n"
        "\tlocal answer word help\n"
        "\tlocal -a closed open\n"
        "\tfor answer in \"${(@f)$(${(Q)words[1]} completion words -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
        "\t\tword=${answer%%$'\\t'*}\n"
        "\t\thelp=${answer#*$'\\t'}\n"
        "\t\tcase $word in\n"
        "\t\t'') ;;\n"
        "\t\t:files) compset -P '--*='; _files; return ;;\n"
        "\t\t*=) open+=(\"${word//:/\\\\:}:$help\") ;;\n"
        "\t\t*) closed+=(\"${word//:/\\\\:}:$help\") ;;\n"
        "\t\tesac\n"
        "\tdone\n"
        "\t(( $#closed )) && _describe gridlane closed\n"
        "\t(( $#open )) && _describe gridlane open -S ''\n"
        "\treturn 0\n"
        "}\n"
        "if [ \"${funcstack[1]}\" = _gridlane ]; then\n"
        "\t_gridlane \"$@\"\n"
        "else\n"
        "\tcompdef _gridlane gridlane\n"
        "fi\n";

static const char fish_script[] =
        "# fish completion for gridlane; gridlane completion fish | source\n"
        "function __gridlane_complete\n"
        "\tset -l words (commandline -opc)\n"
        "\tset -l current (commandline -ct)\n"
        "\tset -l answers ($words[1] completion words -- $words[2..-1] \"$current\" 2>/dev/null)\n"
        "\tif test \"$answers[1]\" = :files\n"
        "\t\tset -l parts (string match -r -- '^((?:--[^=]*=)?)(.*)' \"$current\")\n"
        "\t\tfor path in (__fish_complete_path \"$parts[3]\")\n"
        "\t\t\tprintf '%s\\n' \"$parts[2]$path\"\n"
        "\t\tend\n"
        "\telse\n"
        "\t\tprintf '%s\\n' $answers\n"
        "\tend\n"
        "end\n"
        "complete -c gridlane -f -a '(__gridlane_complete)'\n";

static const struct script {
	const char *shell, *text;
} scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

static int unknown_shell(const char *name)
{
	struct gr_error err = {0};

	(void)gr_fail(&err, GR_USAGE, 0, "completion: '%s' is none of bash, zsh, fish", name);
	return complain(&err);
}

int command_completion(const struct arguments *arguments)
{
	const char *shell = arguments->words[0];

	if (strcmp(shell, "words") == 0) {
		completion_words(arguments->words + 1, arguments->word_count - 1);
		return 0;
	}
	for (size_t i = 0; i < GR_COUNT(scripts); i++) {
		if (strcmp(scripts[i].shell, shell) == 0 && arguments->word_count == 1) {
			(void)fputs(scripts[i].text, stdout);
			return 0;
		}
	}
	return unknown_shell(arguments->word_count > 1 ? arguments->words[1] : shell);
}
