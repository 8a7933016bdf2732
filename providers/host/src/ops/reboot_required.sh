# Prints `reboot=REASON` for every reason to reboot.
reboot_reasons() {
    for flag in /run/reboot-required /var/run/reboot-required; do
        [ -e "$flag" ] || continue
        if [ -s "$flag.pkgs" ]; then
            sort -u "$flag.pkgs" | head -n 20 | sed 's/^/reboot=asked for by /'
        else
            echo 'reboot=asked for by an update'
        fi
        break
    done
    running=$(uname -r)
    if command -v needrestart >/dev/null; then
        needrestart -b -k 2>/dev/null </dev/null | awk -F': ' '
            /^NEEDRESTART-KCUR/ { current = $2 }
            /^NEEDRESTART-KEXP/ { expected = $2 }
            /^NEEDRESTART-KSTA/ { state = $2 }
            END { if (state + 0 >= 2) print "reboot=kernel " expected " is installed, " current " runs" }'
    elif [ -e "/boot/vmlinuz-$running" ]; then
        # 6.1.0-40-cloud-amd64: only kernels of the same flavour are compared.
        abi=${running#*-}
        flavour=${abi#*-}
        newest=$(for image in /boot/vmlinuz-*; do
            version=${image#/boot/vmlinuz-}
            abi=${version#*-}
            [ "${abi#*-}" != "$flavour" ] || printf '%s\n' "$version"
        done | sort -V | tail -n 1)
        [ "$newest" = "$running" ] || echo "reboot=kernel $newest is installed, $running runs"
    fi
}
