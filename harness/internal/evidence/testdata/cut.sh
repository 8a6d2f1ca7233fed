#!/bin/sh
# The commands that lead to the failure of cut.netlink.1.1,
# a title\x0ain two lines\x1b[2J
#
# They run in namespaces of their own, which are gone at the end: links, routes, mounts and /run of this machine stay
# as they are. What a command writes elsewhere stays too, to files such as those in /tmp and /var, or, as root, to
# settings of the whole kernel: play the commands of a stranger in a virtual machine. It takes unshare (util-linux)
# and ip (iproute2), and no root where ordinary users may make user namespaces.
#
# The exit status is 0 if each command ended as the scenario expects, 1 if one did not, and 2 if none could be played.
#
# It cannot judge the checks, which the harness judges itself, nor compare outputs, and it does not wait between
# commands until links have settled. New namespaces may have settings of this machine (forwarding, rp_filter),
# which the harness resets.
# The case was played by the driver netlink. Here the programs run that the commands name.
#
# The checks of the section:
#   line 26: namespace `nosuch` does not exist

if [ "${1-}" != inside ]; then
	users=
	unshare --net true 2>/dev/null || users='--user --map-root-user'
	own="$users --net --mount --pid --fork --kill-child"
	unshare $own true || exit 2
	exec unshare $own sh "$0" inside
fi
mount -t proc proc /proc 2>/dev/null # where the kernel allows it
mount -t tmpfs tmpfs /run || exit 2
mkdir /run/netns
cd /
export LC_ALL=C
ip link set lo up || exit 2
wrong=0

# heading TITLE names the section to which the next commands belong.
heading() { printf '\n# %s\n' "$1"; }

# play WANTED TEXT COMMAND... runs a command and shows its exit status; WANTED is the expected one, or ! for any but 0.
play() {
	wanted=$1
	printf '$ %s\n' "$2"
	shift 2
	"$@" 2>&1 </dev/null 9<&-
	status=$?
	if [ "$wanted" = '!' ] && [ $status -ne 0 ] || [ "$wanted" = $status ]; then
		printf '[%s] as expected\n' $status
	else
		printf '[%s] expected: [%s]\n' $status "$wanted"
		wrong=1
	fi
}

# What the host has before the first command. Its interfaces lead to a namespace that loses its name.
ip netns add far
exec 9</run/netns/far
ip link add eth0 type veth peer name far0 netns far
ip addr add 192.0.2.5/24 dev eth0
ip addr add 2001:db8::5/64 dev eth0 nodad
ip -n far link set far0 up
ip link set eth0 up
ip -n far addr add 192.0.2.1/24 dev far0
ip netns del far
ip route add default via 192.0.2.1

heading 'step 1: Make one'
play 0 'ip netns add "it'\''s"' ip netns add 'it'\''s'

heading 'step 1, mistake: too late'
play '!' 'ip netns del nosuch' ip netns del nosuch
play 3 'printf '\''\x1b[31m%s'\'' red' printf "$(printf '\033\133\063\061\155\045\163')" red

exit $wrong
