package term

import (
	"slices"
	"strings"
	"testing"
)

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{
		"":                          0,
		"plain":                     5,
		"Grüße":                     5,
		"u\u0308ber":                4, // a combining diaeresis
		"netz\u0301ns":              6,
		"世界":                        4,
		"ｆｕｌｌ":                      8,
		"한국":                        4,
		"\U0001f600":                2,
		"●○×─│═…":                   7,
		Paint("1;36", "世界"):         4,
		Paint("2", "") + "a":        1,
		Paint("31", "u\u0308") + "": 1,
	} {
		if got := Width(s); got != want {
			t.Errorf("Width(%q) = %d, want %d", s, got, want)
		}
		if got := Pad(s, 9); Width(got) != 9 || strings.TrimRight(got, " ") != s {
			t.Errorf("Pad(%q, 9) = %q", s, got)
		}
	}
	if got := Pad("世界", 3); got != "世界" {
		t.Errorf("what is wider than it is to be became %q", got)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		s     string
		width int
		end   string
		want  string
	}{
		{"prodns", 6, "…", "prodns"},
		{"prodns", 5, "…", "prod…"},
		{"prodns", 1, "~", "~"},
		{"prodns", 0, "…", ""},
		{"prodns", -3, "…", ""},
		{"世界の名前", 10, "…", "世界の名前"},
		{"世界の名前", 6, "…", "世界…"}, // half of a character does not fit
		{"世界の名前", 5, "…", "世界…"},
		{"u\u0308u\u0308u\u0308", 3, "…", "u\u0308u\u0308u\u0308"},
		{"u\u0308u\u0308u\u0308", 2, "…", "u\u0308…"},
	} {
		if got := Cut(c.s, c.width, c.end); got != c.want {
			t.Errorf("Cut(%q, %d, %q) = %q, want %q", c.s, c.width, c.end, got, c.want)
		}
	}
}

func TestCharacters(t *testing.T) {
	var got []string
	columns := 0
	for cluster, width := range Characters("au\u0308世\U0001f600") {
		got, columns = append(got, cluster), columns+width
	}
	if want := []string{"a", "u\u0308", "世", "\U0001f600"}; !slices.Equal(got, want) || columns != 6 {
		t.Errorf("got %q in %d columns, want %q in 6", got, columns, want)
	}
	for range Characters("abc") {
		break
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 20, []string{""}},
		{"  it fits  as it is ", 20, []string{"  it fits  as it is "}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two three", 8, []string{"one two", "three"}},
		{"vnic-prodns.0 stays whole", 6, []string{"vnic-prodns.0", "stays", "whole"}},
		{"世界 世界 世界", 9, []string{"世界 世界", "世界"}},
		{"世界 世界 世界", 8, []string{"世界", "世界", "世界"}},
		{"u\u0308u\u0308 u\u0308u\u0308 u\u0308u\u0308", 5,
			[]string{"u\u0308u\u0308 u\u0308u\u0308", "u\u0308u\u0308"}},
		{Paint("1", "one") + " " + Paint("1", "two") + " three", 7,
			[]string{Paint("1", "one") + " " + Paint("1", "two"), "three"}},
	} {
		if got := Wrap(c.text, c.width); !slices.Equal(got, c.want) {
			t.Errorf("Wrap(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestFill(t *testing.T) {
	if got := Fill(nil, " ", 20); got != nil {
		t.Errorf("without words there are the lines %q", got)
	}
	if got, want := Fill([]string{"one cable", "two", "three"}, "   ", 15),
		[]string{"one cable   two", "three"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestColumns(t *testing.T) {
	got := Columns([][]string{
		{"NAME", "MEANING", ""},
		{"世界", "wide", "x"},
		{"u\u0308", Paint("2", "faint"), "y"},
		{"alone"},
		{},
	})
	want := []string{
		"NAME   MEANING",
		"世界   wide     x",
		"u\u0308      " + Paint("2", "faint") + "    y",
		"alone",
		"",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

func TestColumnsWithin(t *testing.T) {
	rows := [][]string{{"ID", "TITLE"}, {"veth-pair", "one two three four five six"}, {"世界", "世界 世界 世界 世界"}}
	for width, want := range map[int][]string{
		80: Columns(rows),
		26: {"ID         TITLE", "veth-pair  one two three", "           four five six", "世界       世界 世界 世界",
			"           世界"},
		3: {"ID         TITLE", "veth-pair  one", "           two", "           three", "           four",
			"           five", "           six",
			"世界       世界", "           世界", "           世界", "           世界"},
	} {
		if got := ColumnsWithin(rows, width); !slices.Equal(got, want) {
			t.Errorf("width %d: got\n%s\nwant\n%s", width, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
