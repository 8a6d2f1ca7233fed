package programs

import "strings"

// wanted lists the packages of a guest, what is taken from each, and nothing else: programs by their names, and files
// and folders by their paths. What the programs are linked with comes along.
var wanted = []struct{ pkg, programs, files string }{
	{"iproute2", "ip bridge tc ss nstat", "/etc/iproute2 /usr/share/iproute2 /usr/lib/tc"},
	{"iputils-ping", "ping", ""},
	{"iputils-arping", "arping", ""},
	{"iputils-tracepath", "tracepath", ""},
	{"busybox", "busybox", ""},
	{"nftables", "nft", ""},
	{"iptables", "xtables-nft-multi iptables-nft ip6tables-nft iptables-nft-save ip6tables-nft-save " +
		"iptables-nft-restore ip6tables-nft-restore", "/usr/lib/x86_64-linux-gnu/xtables"},
	{"conntrack", "conntrack", ""},
	{"tcpdump", "tcpdump", ""},
	{"ethtool", "ethtool", ""},
	{"wireguard-tools", "wg", ""},
	{"procps", "sysctl ps pgrep pkill watch kill free uptime vmstat", ""},
	{"util-linux", "unshare nsenter setpriv lsns findmnt flock prlimit taskset chrt ionice dmesg ipcs ipcmk ipcrm " +
		"mountpoint script more rev hwclock", ""},
	{"util-linux-extra", "", ""},
	{"bsdutils", "script scriptreplay logger renice", ""},
	{"mount", "mount umount", ""},
	{"bash", "bash", ""},
	{"dash", "dash", ""},
	{"coreutils", coreutils, ""},
	{"grep", "grep egrep fgrep", ""},
	{"sed", "sed", ""},
	{"mawk", "mawk", ""},
	{"findutils", "find xargs", ""},
	{"diffutils", "diff cmp", ""},
	{"hostname", "hostname", ""},
	{"perl-base", "perl", "/usr/lib/x86_64-linux-gnu/perl-base"},
	{"libcap2-bin", "capsh getpcaps getcap setcap", ""},
	{"libc-bin", "getent locale", "/usr/lib/locale/C.utf8"},
	{"libc6", "", "/usr/lib/x86_64-linux-gnu/libnss_files.so.2 /usr/lib/x86_64-linux-gnu/libnss_dns.so.2"},
	{"libgcc-s1", "", "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1"},
	{"netbase", "", "/etc/protocols /etc/services /etc/ethertypes"},
	{"ncurses-base", "", "/usr/lib/terminfo/l/linux /usr/lib/terminfo/v/vt100 /usr/lib/terminfo/x/xterm " +
		"/usr/lib/terminfo/d/dumb /usr/share/terminfo/l/linux /usr/share/terminfo/v/vt100 /usr/share/terminfo/x/xterm"},
}

// links are those that the packages make when they are installed (update-alternatives(1), and dash's /bin/sh).
var links = map[string]string{
	"usr/bin/sh":                 "dash",
	"usr/bin/awk":                "mawk",
	"usr/sbin/iptables":          "iptables-nft",
	"usr/sbin/ip6tables":         "ip6tables-nft",
	"usr/sbin/iptables-save":     "iptables-nft-save",
	"usr/sbin/ip6tables-save":    "ip6tables-nft-save",
	"usr/sbin/iptables-restore":  "iptables-nft-restore",
	"usr/sbin/ip6tables-restore": "ip6tables-nft-restore",
}

// bins are the folders of programs, as a merged /usr has them.
var bins = []string{"/usr/sbin", "/usr/bin"}

func packageNames() (names []string) {
	for _, w := range wanted {
		if w.pkg != "util-linux-extra" { // younger than bullseye
			names = append(names, w.pkg)
		}
	}
	return names
}

// programNames are the programs of the list.
func programNames() (names []string) {
	for _, w := range wanted {
		names = append(names, strings.Fields(w.programs)...)
	}
	return append(names, "sh", "awk", "iptables")
}

// coreutils are the programs of the package of that name.
const coreutils = `[ arch b2sum base32 base64 basename basenc cat chgrp chmod chown chroot cksum comm cp csplit
	cut date dd df dir dircolors dirname du echo env expand expr factor false fmt fold groups head hostid id install join
	link ln logname ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pinky pr printenv
	printf ptx pwd readlink realpath rm rmdir runcon seq sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep
	sort split stat stdbuf stty sum sync tac tail tee test timeout touch tr true truncate tsort tty uname unexpand uniq
	unlink users vdir wc who whoami yes`
