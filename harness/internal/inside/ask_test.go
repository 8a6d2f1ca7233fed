package inside

import (
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
)

// told is an answer.
type told struct{ Error string }

// TestAnswersAreBounded: an answer is read up to a limit, and anything but the expected JSON is an error.
func TestAnswersAreBounded(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":        {"", "EOF"},
		"half of one":    {`{"Error":"x"`, "EOF"},
		"no JSON":        {"\x1b]0;x\n", `invalid character '\x1b'`},
		"another key":    {`{"Evil\u001b":1}` + "\n", `unknown field "Evil\x1b"`},
		"two of them":    {"{}{}\n", "text after the JSON value"},
		"not UTF-8":      {"{\"Error\":\"\xff\"}\n", "text that is not UTF-8"},
		"another kind":   {"[1]\n", "cannot unmarshal array"},
		"very deep":      {strings.Repeat("[", 1<<20) + "\n", "exceeded max depth"},
		"an answer":      {`{"Error":"no"}` + "\n", ""},
		"without an end": {"", "it is longer than 16 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			var from io.Reader = strings.NewReader(c.text)
			if name == "without an end" {
				from = endless{}
			}
			var answer told
			err := readAnswer(from, &answer)
			if c.want == "" && (err != nil || answer.Error != "no") {
				t.Errorf("%+v, %v", answer, err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// endless is a stream of spaces.
type endless struct{}

func (endless) Read(buf []byte) (int, error) {
	for i := range buf {
		buf[i] = ' '
	}
	return len(buf), nil
}

// TestReadingIsBounded feeds 400 MB and measures the memory that reading it takes.
func TestReadingIsBounded(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	go func() {
		defer write.Close()
		io.Copy(write, io.LimitReader(endless{}, 400<<20)) // until the reader closes the pipe
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var answer told
	if err := readAnswer(read, &answer); err == nil {
		t.Errorf("it was understood: %+v", answer)
	}
	read.Close()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 100<<20 {
		t.Errorf("reading it took %d MB", took>>20)
	}
}
