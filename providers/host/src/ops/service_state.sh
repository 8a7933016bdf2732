# UNIT STATE ENABLED: brings a unit into a state; what systemd says of a failure goes to standard error.
unit=$1 state=$2 enabled=$3
fail() {
    systemctl --no-pager --lines=10 status -- "$unit" >&2
    journalctl --no-pager --lines=10 --output=cat --unit="$unit" >&2 2>/dev/null
    echo "systemctl $1 $unit failed" >&2
    exit 1
}
case $enabled in
true) systemctl enable -- "$unit" || fail enable ;;
false) systemctl disable -- "$unit" || fail disable ;;
esac
case $state in
running) systemctl start -- "$unit" || fail start ;;
stopped) systemctl stop -- "$unit" || fail stop ;;
restarted) systemctl restart -- "$unit" || fail restart ;;
esac
