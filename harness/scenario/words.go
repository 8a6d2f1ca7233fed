package scenario

import "netnscheck/harness/scenario/transcript"

// Words splits a command line as a POSIX shell does, but runs no shell: see transcript.Words.
func Words(line string) ([]string, error) { return transcript.Words(line) }
