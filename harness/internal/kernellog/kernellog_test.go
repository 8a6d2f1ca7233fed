package kernellog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// fed is a log that a test writes. A later part comes while somebody waits for it.
type fed struct {
	records []string // "EPIPE" is that error
	later   []string
	closed  bool
}

func (f *fed) Read(into []byte) (int, error) {
	if len(f.records) == 0 {
		return 0, unix.EAGAIN
	}
	r := f.records[0]
	f.records = f.records[1:]
	switch {
	case r == "EPIPE":
		return 0, unix.EPIPE
	case r == "EIO":
		return 0, unix.EIO
	case len(r) > len(into):
		return 0, unix.EINVAL
	}
	return copy(into, r), nil
}

func (f *fed) Await(time.Duration) bool {
	f.records, f.later = append(f.records, f.later...), nil
	return len(f.records) > 0
}

func (f *fed) Close() error { f.closed = true; return nil }

func (f *fed) taint() (uint64, error) { return 0, nil }

// warning are the records of a WARN as Linux 6.1 writes them, by the process 83.
var warning = []string{
	"4,900,3147241,-,caller=T83;------------[ cut here ]------------\n",
	"4,901,3147253,-,caller=T83;netns 3 is not as expected\n",
	"4,902,3147367,-,caller=T83;WARNING: CPU: 0 PID: 83 at bad.c:12 do_warn+0x16/0x1d [bad]\n",
	"4,903,3147419,-,caller=T83;Modules linked in: bad(OE+)\n",
	"4,904,3147439,-,caller=T83;CPU: 0 PID: 83 Comm: ip Tainted: G           OE      6.1.0-57-amd64 #1\n",
	"4,905,3147500,-,caller=T83;---[ end trace 0000000000000000 ]---\n",
}

// of is one record of the kernel.
func of(text string) string { return fmt.Sprintf("6,1,5000000,-;%s\n", text) }

// messages are those of the problems that End returns.
func messages(w *Watch, name string) (all []string) {
	told, _ := w.End(name)
	for _, p := range told {
		all = append(all, p.Message)
	}
	return all
}

const warned = "the kernel complained: WARNING: CPU: 0 PID: 83 at bad.c:12 do_warn+0x16/0x1d [bad], in the process " +
	"ip (83)"

func TestComplaintsOfACase(t *testing.T) {
	for name, c := range map[string]struct {
		records, later []string
		want           []string
		words          string
	}{
		"nothing":  {},
		"harmless": {records: []string{of("eth0: renamed from veth0"), of("Warning: an unsupported sysctl")}},
		"a WARN":   {records: warning, want: []string{warned}},
		"written by a program": {records: []string{
			"12,1,5000000,-;WARNING: CPU: 0 PID: 83 at bad.c:12 do_warn+0x16/0x1d [bad]\n",
			"8,2,5000000,-;BUG: unable to handle page fault\n"}},
		"in two parts": {records: warning[:3], later: warning[3:], want: []string{warned}},
		"with a line in pieces": {records: []string{"4,1,5000000,c,caller=T1;BUG: bad\n", "4,2,5000000,c;  luck\n"},
			want: []string{"the kernel complained: BUG: bad  luck"}},
		"with lines in one record": {records: []string{of(`a message\x0aBUG: of two lines`)},
			want: []string{"the kernel complained: BUG: of two lines"}},
		"with properties of a device": {records: []string{"6,1,5000000,-;BUG: x\n SUBSYSTEM=net\n DEVICE=n2\n"},
			want: []string{"the kernel complained: BUG: x"}},
		"behind half a record": {records: []string{"lf of a record;BUG: x\n", ",-;BUG: y", "BUG", of("BUG: z")},
			want: []string{"the kernel complained: BUG: z"}},
		"after a loss": {records: []string{of("first"), "EPIPE", of("BUG: x")},
			want:  []string{"the kernel complained: BUG: x"},
			words: "read; records were overwritten before they were read (1 time)"},
		"a refcount": {records: []string{of("------------[ cut here ]------------"),
			of("refcount_t: underflow; use-after-free."),
			of("WARNING: CPU: 1 PID: 7 at lib/refcount.c:28 refcount_warn_saturate+0xd8/0xe0")},
			want: []string{"the kernel complained: WARNING: CPU: 1 PID: 7 at lib/refcount.c:28 " +
				"refcount_warn_saturate+0xd8/0xe0"}},
		"sanitizers": {records: []string{of("BUG: KASAN: slab-use-after-free in veth_xmit+0x1/0x2"),
			of("=================================================================="),
			of("BUG: KCSAN: data-race in a / b"), of("UBSAN: shift-out-of-bounds in net/ipv4/x.c:1:2")},
			want: []string{"the kernel complained: BUG: KASAN: slab-use-after-free in veth_xmit+0x1/0x2",
				"the kernel complained: BUG: KCSAN: data-race in a / b",
				"the kernel complained: UBSAN: shift-out-of-bounds in net/ipv4/x.c:1:2"}},
		"a stall": {records: []string{of("watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [ping:977]")},
			words: "read; what fails no case, since it may be the machine's: watchdog: BUG: soft lockup - " +
				"CPU#0 stuck for 26s! [ping:977], in the process ping (977)"},
		"without an end": {records: slices.Repeat([]string{of("BUG: again")}, 100),
			want: slices.Repeat([]string{"the kernel complained: BUG: again"}, mostProblems)},
		"a log that breaks": {records: []string{of("BUG: x"), "EIO", of("BUG: y")},
			want:  []string{"the kernel complained: BUG: x"},
			words: "the kernel log could not be read: read /dev/kmsg: input/output error"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fed{}
			w := newWatch(newLog(f, nil, f.taint))
			w.Begin("a")
			f.records, f.later = slices.Clone(c.records), c.later
			if diff := cmp.Diff(c.want, messages(w, "a")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if words := w.Words(); words != c.words && (c.words != "" || words != "read") {
				t.Errorf("words: %s", words)
			}
			if again := w.Strays(); len(again) > 0 {
				t.Errorf("told twice: %q", again)
			}
		})
	}
}

// TestTextOfAComplaint: a problem quotes the first lines, with the kernel's clock.
func TestTextOfAComplaint(t *testing.T) {
	f := &fed{}
	w := newWatch(newLog(f, nil, f.taint))
	w.Begin("a")
	f.records = slices.Concat(warning[:5], slices.Repeat([]string{of(" more of it")}, 40), warning[5:])
	told, _ := w.End("a")
	if len(told) != 1 || len(told[0].Diagnosis) != mostLines+1 {
		t.Fatalf("%+v", told)
	}
	lines := told[0].Diagnosis
	if lines[0] != "[    3.147253] netns 3 is not as expected" || lines[mostLines] != "… and 15 more lines" {
		t.Errorf("%q", lines)
	}
}

// TestWhoseComplaint: each case that runs is told, and nobody's are those of the run.
func TestWhoseComplaint(t *testing.T) {
	f := &fed{}
	w := newWatch(newLog(f, nil, f.taint))
	f.records = []string{of("BUG: before")}
	w.Begin("a")
	f.records = []string{of("BUG: one")}
	w.Begin("b")
	f.records = []string{of("BUG: two")}
	got := [][]string{messages(w, "a"), messages(w, "b"), nil}
	f.records = []string{of("BUG: after")}
	got[2] = w.Strays()
	want := [][]string{
		{"the kernel complained: BUG: one", "the kernel complained: BUG: two (while 2 cases ran)"},
		{"the kernel complained: BUG: two (while 2 cases ran)"},
		{"the kernel complained: BUG: before, before the first case\n[    5.000000] BUG: before",
			"the kernel complained: BUG: after, while no case ran, after b\n[    5.000000] BUG: after"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTaint: everybody can read the taint, also where the log is out of reach.
func TestTaint(t *testing.T) {
	var taint uint64 = 1 << 12
	read := func() (uint64, error) { return taint, nil }
	w := newWatch(newLog(nil, &fs.PathError{Op: "open", Path: "/dev/kmsg", Err: fs.ErrPermission}, read))
	w.Begin("a")
	taint |= 1<<9 | 1<<14 // a soft lockup can be due to the load
	want := []string{"the kernel was tainted: the kernel warned (W); the kernel log could not be read: " +
		"open /dev/kmsg: permission denied"}
	if got := messages(w, "a"); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	w.Begin("b")
	if got := messages(w, "b"); got != nil {
		t.Errorf("an old taint: %q", got)
	}

	taint = 0
	f := &fed{}
	w = newWatch(newLog(f, nil, read))
	w.Begin("c")
	f.records = slices.Clone(warning)
	taint = 1 << 13 // an unsigned module, which fails nothing; that of the warning comes after its text
	want = []string{warned}
	if got := messages(w, "c"); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if words := "read; what fails no case, since it may be the machine's: a taint: an unsigned module was loaded (E)"; w.
		Words() != words {
		t.Errorf("words: %s", w.Words())
	}
	w.Begin("d")
	taint |= 1 << 9
	if got := messages(w, "d"); got != nil {
		t.Errorf("told twice: %q", got)
	}

	w = newWatch(newLog(f, nil, func() (uint64, error) { return 0, errors.New("no /proc") }))
	w.Begin("e")
	if got := messages(w, "e"); got != nil {
		t.Errorf("without a taint: %q", got)
	}
}

// TestLines: what the kernel wrote since a mark, for whoever keeps it.
func TestLines(t *testing.T) {
	f := &fed{records: []string{of("first")}}
	w := newWatch(newLog(f, nil, f.taint))
	m := w.Mark()
	w.Begin("a")
	f.records = []string{of("second"), "12,1,5000000,-;a program\n", of("third")}
	want := []string{"[    5.000000] second", "[    5.000000] third"}
	if _, got := w.End("a"); !slices.Equal(got, want) {
		t.Errorf("of a case: %q", got)
	}
	if got := w.Since(m); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for range 3 * mostRecent {
		f.records = append(f.records, of("noise"))
	}
	f.records = append(f.records, of("last"))
	got := w.Since(m)
	if len(got) > mostRecent || got[len(got)-1] != "[    5.000000] last" {
		t.Errorf("%d lines", len(got))
	}
	w.Close()
	if !f.closed || len(w.Since(w.Mark())) > 0 {
		t.Error("it is not closed")
	}
}

// TestThisKernel reads the log of this machine. What a program writes there is not the kernel's.
func TestThisKernel(t *testing.T) {
	w := Open()
	defer w.Close()
	if w.log.from == nil {
		if !strings.HasPrefix(w.Words(), "the kernel log could not be read: open /dev/kmsg: ") {
			t.Errorf("words: %s", w.Words())
		}
		t.Skip(w.Words())
	}
	w.Begin("a")
	mark := w.Mark()
	out, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer out.Close()
	const line = "<4>WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 written_by_a_test+0x1/0x2"
	if _, err := out.WriteString(line); err != nil {
		t.Skip(err)
	}
	for _, told := range append(messages(w, "a"), w.Since(mark)...) {
		if strings.Contains(told, "written_by_a_test") {
			t.Errorf("a program's words are taken for the kernel's: %s", told)
		}
	}
}

func FuzzRecord(f *testing.F) {
	for _, r := range warning {
		f.Add([]byte(r))
	}
	f.Add([]byte(`6,1,5000000,c;a\x0ab\x` + "\n K=v"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, ok := readRecord(raw)
		if ok && (r.at < 0 || r.facility < 0 || len(r.lines()) == 0) {
			t.Errorf("%q: %+v", raw, r)
		}
	})
}
