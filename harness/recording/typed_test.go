package recording

import (
	"strings"
	"testing"

	"netnscheck/harness/scenario"
)

// TestTyped: what is typed in a shell, as a command of a scenario.
func TestTyped(t *testing.T) {
	for _, c := range []struct{ text, netns, want, problem string }{
		{"ip netns add left", "", "ip netns add left", ""},
		{"  sudo ip link set 'a b' up ", "", "sudo ip link set 'a b' up", ""},
		{`ip link set "a" alias "x \"y\""`, "", `ip link set "a" alias "x \"y\""`, ""},
		{"ip link", "left", "ip netns exec left ip link", ""},
		{"exit", "left", "", ""},
		{"logout", "", "", ""},
		{"ip netns exec left bash", "", "", ""},
		{"sudo bash -i", "", "", ""},
		{"sh -c ls", "", "sh -c ls", ""},
		{"ip link | wc -l", "", "sh -c 'ip link | wc -l'", ""},
		{"ip link | wc -l", "left", "ip netns exec left sh -c 'ip link | wc -l'", ""},
		{"echo 'it''s' > /tmp/x", "", `sh -c 'echo '\''it'\'''\''s'\'' > /tmp/x'`, ""},
		{"ip link set lo up # now", "", "sh -c 'ip link set lo up # now'", ""},
		{"for n in a b; do ip netns add $n; done", "", "sh -c 'for n in a b; do ip netns add $n; done'", ""},
		{"NS=left; ip netns add $NS", "", "sh -c 'NS=left; ip netns add $NS'", ""},
		{"while read n; do ip netns add $n; done < names", "", "sh -c 'while read n; do ip netns add $n; done < names'",
			""},
		{"ls /sys/class/net/*", "", "sh -c 'ls /sys/class/net/*'", ""},
		{"cat ~/x", "", "sh -c 'cat ~/x'", ""},
		{"cd /tmp && ls", "", "sh -c 'cd /tmp && ls'", ""},
		{"ip netns add {a,b}", "", "bash -c 'ip netns add {a,b}'", ""},
		{"[[ a == a ]] && ip link", "", "bash -c '[[ a == a ]] && ip link'", ""},
		{"ip netns add $NS", "", "", "$NS is of your shell: write its value"},
		{"echo $?", "", "", "$? is of your shell"},
		{"NS=left", "", "", "it changes your shell alone"},
		{"export NS=left", "", "", "it changes your shell alone"},
		{"cd /tmp", "", "", "it changes your shell alone"},
		{"f() { ip link; }", "", "", "it changes your shell alone"},
		{"ip 'link", "", "", "it is not understood"},
		{"echo 'a\nb'", "", "", "printable characters"},
		{"# stp: x", "", "", `there is no marker "stp"`},
	} {
		got, err := Typed(c.text, c.netns)
		switch {
		case c.problem == "" && (err != nil || got.Text != c.want):
			t.Errorf("%q: got %q, %v, want %q", c.text, got.Text, err, c.want)
		case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
			t.Errorf("%q: got %v, want %q", c.text, err, c.problem)
		}
	}
}

// FuzzTyped: a command called by a shell has what was typed as its last word, and is read again from a script.
func FuzzTyped(f *testing.F) {
	for _, text := range []string{"ip link | wc -l", "a 'b", "for i in {1..3}; do :; done", "x='y'; echo $x",
		"# step: One",
		"echo $(ip link)", "a <<E\nE\n", "{{", "((1))", "${x", "coproc ls", "echo \\\n x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line, err := Typed(text, "")
		if err != nil || line.Kind != Run {
			return
		}
		argv, err := scenario.Words(line.Text)
		if err != nil {
			t.Fatalf("%q became %q: %v", text, line.Text, err)
		}
		if len(argv) == 3 && argv[1] == "-c" && line.Text != strings.TrimSpace(text) &&
			argv[2] != strings.TrimSpace(text) {
			t.Errorf("%q became %q", text, argv)
		}
		again, err := ReadLine(strings.TrimSuffix(Script([]Line{line}), "\n"))
		if err != nil || again.Text != line.Text {
			t.Errorf("%q is read again as %q, %v", line.Text, again.Text, err)
		}
	})
}
