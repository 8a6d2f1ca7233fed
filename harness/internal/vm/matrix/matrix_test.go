package matrix

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var drivers = []string{"iproute2", "netlink", "busybox"}

// TestDefault: what a binary without the file runs is what the project's file says.
func TestDefault(t *testing.T) {
	text, err := os.ReadFile("../../../../" + File)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Parse(File, text, drivers)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, Default); diff != "" {
		t.Errorf("the file and the default differ (-file +default):\n%s", diff)
	}
}

func TestParse(t *testing.T) {
	text := `# a matrix
kernels:
  - 5.10
  - "newest"
  - kernel: 6.12-cloud
    drivers: [netlink]
    iproute2: [6.10, newest]
`
	want := []Row{{Kernel: "5.10"}, {Kernel: "newest"},
		{Kernel: "6.12-cloud", IPRoute2: "6.10", Drivers: []string{"netlink"}},
		{Kernel: "6.12-cloud", IPRoute2: "newest", Drivers: []string{"netlink"}}}
	rows, err := Parse("kernels.yaml", []byte(text), drivers)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":      {"", "k.yaml:1: there is no kernel in it"},
		"no list":    {"kernels: 5.10\n", "k.yaml:1: expected a list of kernels, such as [5.10, 6.12]"},
		"empty list": {"kernels: []\n", "k.yaml:1: expected a list of kernels, such as [5.10, 6.12]"},
		"a typo": {"kernels:\n  - kernel: 5.10\n    driver: [netlink]\n",
			`k.yaml:3: there is no key "driver", did you mean drivers?; the keys are drivers, iproute2, kernel`},
		"a driver": {"kernels:\n  - kernel: 5.10\n    drivers: [netlnk]\n",
			`k.yaml:3: there is no driver "netlnk", did you mean netlink?`},
		"no kernel": {"kernels:\n  - drivers: [netlink]\n", "k.yaml:2: an entry without the key kernel"},
		"twice":     {"kernels: [6.1, 6.1]\n", "k.yaml: the kernel 6.1 is named twice"},
		"same name": {"kernels: [a/linux, b/linux]\n",
			"k.yaml: the kernels a/linux and b/linux are both called linux in reports"},
		"syntax":      {"kernels:\n  - [5.10\n", "k.yaml:2: sequence end token ']' not found"},
		"not a word":  {"kernels:\n  - 5.10\n  - true\n", "k.yaml:3: expected a kernel, such as 6.12 or newest"},
		"a bare list": {"- 5.10\n", "k.yaml:1: expected keys and values, such as kernels: [5.10, 6.12]"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := Parse("k.yaml", []byte(c.text), drivers)
			if err == nil {
				t.Fatalf("read as %v", rows)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestName(t *testing.T) {
	for kernel, want := range map[string]string{
		"6.12": "6.12", "debian:sid": "debian:sid", "/home/me/linux/": "linux", ".": "tree", "../..": "tree",
		"./vmlinuz 1": "vmlinuz_1",
	} {
		if got := (Row{Kernel: kernel}).Name(); got != want {
			t.Errorf("%s is called %s, want %s", kernel, got, want)
		}
	}
	if got := (Row{Kernel: "6.12", IPRoute2: "6.1"}).Name(); got != "6.12+iproute2-6.1" {
		t.Errorf("with iproute2 it is called %s", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("kernels: [5.10, {kernel: 6.1, drivers: [netlink], iproute2: [6.1]}]")
	f.Add("kernels:\n - ? [a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := Parse("k.yaml", []byte(text), drivers)
		if (err == nil) != (len(rows) > 0) {
			t.Errorf("%d rows with the error %v", len(rows), err)
		}
	})
}
