# What a host is, as `name=value` lines. Changes nothing.
fact() { printf '%s=%s\n' "$1" "$2"; }
release() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d '"' | head -n 1; }
fact hostname "$(uname -n)"
fact os "$(release ID)"
fact os_version "$(release VERSION_ID)"
fact kernel "$(uname -r)"
fact arch "$(uname -m)"
fact cpus "$(getconf _NPROCESSORS_ONLN 2>/dev/null || grep -c ^processor /proc/cpuinfo)"
fact memory_kib "$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)"
fact disk_free_kib "$(df -Pk / | tail -n 1 | awk '{ print $4 }')"
fact boot_id "$(cat /proc/sys/kernel/random/boot_id)"
fact uptime_s "$(cut -d. -f1 /proc/uptime)"
if [ -d /run/systemd/system ]; then fact systemd true; else fact systemd false; fi
reboot_reasons
