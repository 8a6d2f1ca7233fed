package kernellog

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// record is one message of the kernel's log, as /dev/kmsg has it (Documentation/ABI/testing/dev-kmsg).
type record struct {
	facility int   // 0 is the kernel; a program that writes to /dev/kmsg cannot have it
	at       int64 // microseconds of the kernel's clock
	// goesOn means that it goes on with the line of the record before it.
	goesOn bool
	text   string
}

// kernelFacility is that of the kernel itself (LOG_KERN in syslog(3)).
const kernelFacility = 0

// readRecord reads `6,1234,5678901,-;text`, which may be followed by lines with properties of a device. ok is false for
// what is no record, or the rest of one whose beginning is missing.
func readRecord(raw []byte) (r record, ok bool) {
	prefix, text, found := bytes.Cut(raw, []byte(";"))
	fields := strings.Split(string(prefix), ",")
	if !found || len(fields) < 4 {
		return r, false
	}
	level, err1 := strconv.Atoi(fields[0])
	_, err2 := strconv.ParseUint(fields[1], 10, 64)
	at, err3 := strconv.ParseInt(fields[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || level < 0 || at < 0 {
		return r, false
	}
	text, _, _ = bytes.Cut(text, []byte("\n"))
	return record{facility: level >> 3, at: at, goesOn: fields[3] == "c" || fields[3] == "+",
		text: unescape(string(text))}, true
}

var escaped = regexp.MustCompile(`\\x[0-9a-f]{2}`)

// unescape puts back what is not printable, such as the end of a line within a message.
func unescape(text string) string {
	return escaped.ReplaceAllStringFunc(text, func(code string) string {
		b, _ := strconv.ParseUint(code[2:], 16, 8) // it matches
		return string([]byte{byte(b)})
	})
}

// lines are the lines of a record as dmesg(1) and a console have them.
func (r *record) lines() (lines []string) {
	stamp := fmt.Sprintf("[%5d.%06d] ", r.at/1e6, r.at%1e6)
	for line := range strings.SplitSeq(strings.TrimSuffix(r.text, "\n"), "\n") {
		lines = append(lines, stamp+line)
	}
	return lines
}
