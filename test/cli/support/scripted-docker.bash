# Stands in for `docker`: tells the test how it is called, and does what the test answers. It is bash, which starts in a
# tenth of the time that Node.js needs, because a few commands of the tool call it a dozen times.
# The file that sources this one has set `port`, where the test listens, and `compose`, the real one.

exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 125
{
  declare -px
  printf '\0%s\0%s\0' "$PWD" "$#"
  [ $# = 0 ] || printf '%s\0' "$@"
} >&3

while IFS= read -r -d '' -u 3 word; do
  text=${word#*:}
  case $word in
    out:*) printf '%s' "$text" ;;
    err:*) printf '%s' "$text" >&2 ;;
    file:*) cat "$text" ;;
    ask:*)
      DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND=docker "$compose" "$@" >"$text.out" 2>"$text.err" 3>&-
      printf '%s\0' "$?" >&3
      ;;
    exit:*) exit "$text" ;;
  esac
done
exit 125
