package program

import (
	"slices"
	"strings"
)

// managers are the package managers, in the order in which they are looked for, with the command that installs.
var managers = []struct{ program, install string }{
	{"apt-get", "apt-get install"},
	{"dnf", "dnf install"},
	{"apk", "apk add"},
	{"pacman", "pacman -S"},
	{"zypper", "zypper install"},
}

// known lists the programs that lessons use and the packages that contain them: one name, or one for each of the
// managers, as in Debian 12, Fedora 40, Alpine 3.20, Arch and openSUSE Leap 15.6.
var known = []struct{ programs, packages string }{
	{"ip ss nstat bridge", "iproute2 iproute iproute2 iproute2 iproute2"},
	{"tc", "iproute2 iproute-tc iproute2 iproute2 iproute2"},
	{"ping", "iputils-ping iputils iputils iputils iputils"},
	{"arping", "iputils-arping iputils iputils iputils iputils"},
	{"tracepath", "iputils-tracepath iputils iputils iputils iputils"},
	{"nft", "nftables"},
	{"iptables ip6tables iptables-save iptables-nft ip6tables-nft", "iptables iptables-nft iptables iptables iptables"},
	{"conntrack", "conntrack conntrack-tools conntrack-tools conntrack-tools conntrack-tools"},
	{"busybox", "busybox"},
	{"tcpdump", "tcpdump"},
	{"ethtool", "ethtool"},
	{"wg", "wireguard-tools"},
	{"traceroute", "traceroute"},
	{"socat", "socat"},
	{"nc", "netcat-openbsd nmap-ncat netcat-openbsd openbsd-netcat netcat-openbsd"},
	{"curl", "curl"},
	{"wget", "wget"},
	{"dig", "dnsutils bind-utils bind-tools bind bind-utils"},
	{"iperf3", "iperf3 iperf3 iperf3 iperf3 iperf"},
	{"ifconfig route arp netstat", "net-tools"},
	{"sysctl ps pgrep pkill watch", "procps procps-ng procps-ng procps-ng procps"},
	{"unshare nsenter setpriv setsid lsns findmnt flock prlimit taskset chrt ionice", "util-linux"},
	{"mount umount", "mount util-linux mount util-linux util-linux"},
	{"getent", "libc-bin glibc-common musl-utils glibc glibc"},
	{"capsh", "libcap2-bin libcap libcap-utils libcap libcap-progs"},
	{"strace", "strace"},
	{"perl", "perl-base perl-interpreter perl perl perl"},
	{"python3", "python3 python3 python3 python python3"},
	{"jq", "jq"},
	{"bash", "bash"},
	{"grep", "grep"},
	{"sed", "sed"},
	{"awk", "mawk gawk gawk gawk gawk"},
	{"find xargs", "findutils"},
	{"xmllint", "libxml2-utils libxml2 libxml2-utils libxml2 libxml2-tools"},
	{"base64 basename cat chmod chown chroot cp cut date dd df dirname du echo env expr false head id install " +
		"ln ls md5sum mkdir mkfifo mknod mktemp mv nice nohup nproc od paste printenv printf pwd readlink realpath " +
		"rm rmdir seq sha256sum sleep sort split stat stdbuf sync tac tail tee test timeout touch tr true " +
		"truncate tty uname uniq unlink wc whoami yes", "coreutils"},
}

// foreign are the programs of which busybox and toybox have versions with other arguments and output. Where one is a
// link to these, as on Alpine, the program that a lesson means is missing.
var foreign = strings.Fields("ip ss tc bridge ping arping unshare nsenter setpriv nc traceroute")

// Package returns the package that contains a program, by the name that the host's package manager uses, or Debian's
// name if there is no known package manager. It is "" if no package is known.
func Package(name string) string {
	for _, k := range known {
		if !slices.Contains(strings.Fields(k.programs), name) {
			continue
		}
		names := strings.Fields(k.packages)
		if len(names) == 1 {
			return names[0]
		}
		return names[max(manager(), 0)]
	}
	return ""
}

// Install returns the command with which root installs packages on this host, or "" if there is no known package
// manager. The packages are named as Package names them; duplicates are dropped.
func Install(packages ...string) string {
	m := manager()
	if m < 0 {
		return ""
	}
	packages = slices.Compact(slices.Sorted(slices.Values(packages)))
	return managers[m].install + " " + strings.Join(packages, " ")
}

// manager is the index of this host's package manager in managers, -1 if it has none of them.
func manager() int {
	for i, m := range managers {
		if _, err := LookPath(m.program); err == nil {
			return i
		}
	}
	return -1
}
