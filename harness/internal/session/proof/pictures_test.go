package proof_test

import (
	"encoding/xml"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pictures is the folder of README's pictures, album their text.
const (
	pictures = "../../../../docs/pictures"
	album    = "pictures"
)

// TestPictures: README's pictures are what the program shows. With -update it makes them.
func TestPictures(t *testing.T) {
	theProgram(t)
	r := compared(t, album)
	p := sits(t, uidOfTests(), home(t, uidOfTests()), "lab", "start", "veth-pair")
	p.prompts(r, "harness lab start veth-pair")
	for _, command := range []string{
		"ip netns add testns",
		"ip netns add prodns",
		"ip route",
		"ip link add vnix-prodns type veth peer name vnic-testns",
		"ip link set vnix-prodns netns testns",
		"ip link set vnic-prodns netns prodns",
	} {
		p.says(r, command)
	}
	p.photograph(r, "lab-shell", "The shell of a lab: each command is answered")
	w := p.joins("lab", "watch")
	w.photograph(r, "lab-watch", "harness lab watch: the step, its checks, the map, what does not work yet")
	p.types("exit\n")
	p.leaves()
	r.end()
}

// photograph compares the screen with the album, and the picture with the screen; with -update it takes the picture.
func (p *person) photograph(r *record, name, title string) {
	p.Helper()
	path := filepath.Join(pictures, name+".svg")
	var screen string
	p.shows(r, name, func() (string, bool) {
		screen = text(bySection(p.onScreen()))
		return screen, true
	})
	if *update {
		p.mu.Lock()
		defer p.mu.Unlock()
		err := os.MkdirAll(pictures, 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(picture(p.screen, title)), 0o644)
		}
		if err != nil {
			p.Fatal(err)
		}
	}
	if diff := cmp.Diff(screen, textOf(p, path)); diff != "" {
		p.Errorf("%s is another screen; make pictures takes it anew (-the program's +the picture's):\n%s", path, diff)
	}
}

// bySection is what a terminal shows without what differs, between one prompt and the next.
func bySection(lines []string) (all []string) {
	for from := 0; from < len(lines); {
		to := from + 1
		for to < len(lines) && !strings.HasPrefix(lines[to], "[veth-pair] ~ #") {
			to++
		}
		all = append(all, canonical(lines[from:to])...)
		from = to
	}
	return all
}

// textOf is the text of a picture, as it stood on the screen.
func textOf(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var svg struct {
		Texts []struct {
			X    float64 `xml:"x,attr"`
			Y    int     `xml:"y,attr"`
			Text string  `xml:",chardata"`
		} `xml:"g>text"`
	}
	if err := xml.Unmarshal(data, &svg); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	lines := make([]string, rows)
	for _, one := range svg.Texts {
		row, column := (one.Y-around-size+1)/high, int(math.Round((one.X-around)/wide))
		lines[row] += strings.Repeat(" ", column-len([]rune(lines[row]))) + one.Text
	}
	return text(lines)
}
