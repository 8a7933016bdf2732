# FOLDER NAME PREFIX SHA256 MODE OWNER GROUP <CONTENT: replaces the file in one step.
# Whoever else may write to the folder gains nothing: the new file is made in a folder of our own, where nobody else can
# put anything in its way, and goes to its place by one rename, which follows no link. Each call has a folder of its
# own: an earlier one that still is at work can never put our half of a file into place.
set -eu
umask 077
cd -P -- "$1"
[ "$(pwd -P)" = "$1" ] || { echo "\`$1\` leads elsewhere" >&2; exit 1; }
refuse_others() { # What is there may only be a file.
    if [ -L "$1" ] || { [ -e "$1" ] && [ ! -f "$1" ]; }; then echo "\`$2\` is no regular file" >&2; exit 1; fi
}
refuse_others "./$2" "$1/$2"
# What earlier calls of this attempt left behind. One that lives will fail.
rm -rf -- "./$3".*
outer=$(stat -c %d:%i .)
own=$(mktemp -d "./$3.XXXXXXXX")
trap 'rm -f ./new; cd .. && rmdir -- "$own" 2>/dev/null' EXIT
cd -P -- "$own" || { trap - EXIT; exit 1; }
# Somebody who owns the outer folder could have put another one into its place just now.
case "$(stat -c '%u %a' .) $(stat -c %d:%i ..) $(ls -A)" in
"$(id -u) 700 $outer " | "$(id -u) 2700 $outer ") ;;
*) trap - EXIT; echo "somebody interferes in \`$1\`" >&2; exit 1 ;;
esac
set -C
exec 3>./new
set +C
cat >&3
sum=$(sha256sum </proc/self/fd/3)
[ "${sum%% *}" = "$4" ] || { echo 'the content is cut short' >&2; exit 1; }
chown -- "$6:$7" /proc/self/fd/3
chmod -- "$5" /proc/self/fd/3
sync /proc/self/fd/3
refuse_others "../$2" "$1/$2"
mv -fT -- ./new "../$2"
sync ..
