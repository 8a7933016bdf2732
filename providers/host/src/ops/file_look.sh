# FOLDER NAME MAX: what is there now. A first line, then the content if it is not longer than MAX. The line ends in
# `open` when the folder and all above it let everybody through.
cd -P -- "$1" 2>/dev/null || { echo 'nofolder'; exit 0; }
if [ "$(pwd -P)" != "$1" ]; then echo "elsewhere $(pwd -P)"; exit 0; fi
if [ -L "./$2" ]; then echo "link $(readlink -- "./$2")"
elif [ ! -e "./$2" ]; then echo none
elif [ ! -f "./$2" ]; then echo special
else
    size=$(wc -c <"./$2") && sum=$(sha256sum <"./$2") || exit 1
    way=open at=$1
    while :; do
        case $(stat -c %a -- "$at") in *[1357]) ;; *) way=closed ;; esac
        [ "$at" != / ] || break
        at=${at%/*}
        at=${at:-/}
    done
    stat -c "file $size ${sum%% *} %a %u %g %U %G $way" -- "./$2"
    if [ "$size" -le "$3" ]; then cat -- "./$2"; fi
fi
