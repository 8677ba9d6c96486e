# usage: bash try.bash LINE: what bash offers after LINE, one word a line.
source <(gridlane completion bash)
COMP_LINE=$1
COMP_POINT=${#1}
_gridlane gridlane
printf '%s\n' "${COMPREPLY[@]}"
