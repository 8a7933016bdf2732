# FOLDER NAME TEMPORARY SHA256 MODE OWNER GROUP <CONTENT: replaces the file in one step.
# Whoever else may write to the folder gains nothing: the new file is made exclusively, and owner and mode are
# set through its descriptor, never through its name.
set -eu
umask 077
cd -P -- "$1"
[ "$(pwd -P)" = "$1" ] || { echo "\`$1\` leads elsewhere" >&2; exit 1; }
if [ -L "./$2" ] || { [ -e "./$2" ] && [ ! -f "./$2" ]; }; then echo "\`$1/$2\` is no regular file" >&2; exit 1; fi
new=./$3
rm -f -- "$new"
trap 'rm -f -- "$new"' EXIT
set -C
exec 3>"$new"
set +C
cat >&3
sum=$(sha256sum </proc/self/fd/3)
[ "${sum%% *}" = "$4" ] || { echo 'the content is cut short' >&2; exit 1; }
chown -- "$6:$7" /proc/self/fd/3
chmod -- "$5" /proc/self/fd/3
sync /proc/self/fd/3 2>/dev/null || sync
mv -fT -- "$new" "./$2"
trap - EXIT
sync . 2>/dev/null || sync
