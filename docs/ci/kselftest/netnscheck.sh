#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs netnscheck as a selftest: TAP on standard output, and the exit statuses of kselftest: 0 passed, 1 failed, 4 skip.
# HARNESS is the program (harness in PATH), NETNSCHECK_ARGS what it plays (the catalogue, with netlink).
harness=${HARNESS:-harness}
if ! command -v "$harness" >/dev/null; then
	echo "TAP version 13"
	echo "1..0 # SKIP $harness is not installed"
	exit 4
fi
# The arguments are words, separated by blanks.
# shellcheck disable=SC2086
"$harness" run ${NETNSCHECK_ARGS:---driver netlink} --report kselftest=- --report console=/dev/null \
	--report junit=/dev/null --report json=/dev/null
status=$?
case $status in
0 | 1) exit $status ;;
3) exit 4 ;; # this machine cannot run it
*) exit 1 ;; # wrong usage, something left behind, cut short
esac
