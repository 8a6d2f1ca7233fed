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
