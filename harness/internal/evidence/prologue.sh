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
