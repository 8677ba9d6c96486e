# usage: fish try.fish LINE: what fish offers after LINE, without the descriptions.
gridlane completion fish | source
complete -C "$argv[1]" | string split -f1 \t
true
