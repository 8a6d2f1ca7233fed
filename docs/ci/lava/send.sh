#!/bin/sh
# Tells LAVA the results of a report in the form of kselftest, one case a line: sh send.sh results.tap
grep -E '^(not )?ok [0-9]+ ' "$1" | while IFS= read -r line; do
	case $line in
	'not ok '*) result=fail ;;
	*' # SKIP'*) result=skip ;;
	*) result=pass ;;
	esac
	# An id of LAVA has no blanks and few signs.
	id=$(printf '%s\n' "$line" | sed -E 's/^(not )?ok [0-9]+ //; s/ # .*//; s/[^A-Za-z0-9_.-]+/-/g; s/-+$//')
	lava-test-case "$id" --result "$result"
done
