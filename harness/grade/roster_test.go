package grade

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRoster(t *testing.T) {
	for _, c := range []struct{ name, text, want, wrong string }{
		{"names alone", "name\nAnna\nBen\n", "2 Anna/Anna/ 3 Ben/Ben/", ""},
		{"all columns", "file,Name,seed\na.sh,Anna,7\n,Ben,\n", "2 Anna/7/a.sh 3 Ben/Ben/", ""},
		{"of a spreadsheet", "\ufeffName;E-Mail;File\r\n\"Schmidt; Anna\";a@b;anna.json\r\n",
			"2 Schmidt; Anna/Schmidt; Anna/anna.json", ""},
		{"tabs", "name\tseed\nAnna\tx\n", "2 Anna/x/", ""},
		{"lines without anything", "name,seed\n\nAnna,1\n,\n", "3 Anna/1/", ""},
		{"empty", "", "", "r.csv:1: the roster is empty: it needs a header with the column name"},
		{"nobody", "name\n", "", "r.csv:1: the roster names nobody"},
		{"no header", "Anna,1\n", "", "r.csv:1: the header has no column name; it has anna, 1"},
		{"a typo", "mame,seed\nAnna,1\n", "", "r.csv:1: the header has no column name; is mame meant?"},
		{"twice a column", "name,name\n", "", "r.csv:1: the column name is there twice"},
		{"twice a name", "name,seed\nAnna M,1\nanna-m,2\n,3\n", "",
			"r.csv:3: anna-m is in line 2 already\nr.csv:4: the name is missing"},
		{"twice a file", "name,file\nA,x.sh\nB,x.sh\n", "", "r.csv:3: the file x.sh is that of line 2 already"},
		{"a quote", "name\nAnna\n\"Ben\n", "", "r.csv:3: extraneous or missing \" in quoted-field"},
		{"Latin 1", "name\nAnna\nJ\xfcrgen\n", "", "r.csv:3: the line is not UTF-8"},
		{"long", "name\n" + strings.Repeat("x", 201) + "\n", "", "r.csv:2: a cell has more than 200 bytes"},
	} {
		entries, err := ParseRoster("r.csv", []byte(c.text))
		var got []string
		for _, e := range entries {
			got = append(got, strings.Join([]string{string(rune('0'+e.Line)) + " " + e.Name, e.Seed, e.File}, "/"))
		}
		said := ""
		if err != nil {
			said = err.Error()
		}
		if s := strings.Join(got, " "); s != c.want || said != c.wrong {
			t.Errorf("%s: got %q, %q", c.name, s, said)
		}
	}
}

func TestWhose(t *testing.T) {
	files := func(names ...string) (all []File) {
		for _, n := range names {
			all = append(all, File{Path: "in/" + n, Name: n})
		}
		return all
	}
	roster := []Entry{{Name: "Anna Schmidt"}, {Name: "Ben", File: "b17.json"}, {Name: "Carl"}}
	for _, c := range []struct {
		name   string
		files  []File
		roster []Entry
		want   map[string]string
		wrong  string
	}{
		{"no roster", files("anna.sh", "ben/progress.json", "carl/lab.sh"), nil,
			map[string]string{"anna": "anna.sh", "ben": "ben/progress.json", "carl/lab": "carl/lab.sh"}, ""},
		{"no roster, twice", files("anna.sh", "Anna.json"), nil, nil,
			"in/Anna.json: Anna has handed in in/anna.sh already"},
		{"a roster", files("anna_schmidt.sh", "b17.json"), roster,
			map[string]string{"Anna Schmidt": "anna_schmidt.sh", "Ben": "b17.json", "Carl": ""}, ""},
		{"folders", files("Anna-Schmidt/progress.json"), roster,
			map[string]string{"Anna Schmidt": "Anna-Schmidt/progress.json", "Ben": "", "Carl": ""}, ""},
		{"strangers and doubles", files("crl.sh", "carl.sh", "carl/solution.sh", "ben.json\x1b"), roster, nil,
			"in/crl.sh: nobody of the roster is called crl, did you mean Carl?\n" +
				"in/carl/solution.sh: Carl has handed in in/carl.sh already\n" +
				`in/ben.json\x1b: nobody of the roster is called ben, did you mean Ben?`},
	} {
		all, err := Whose(c.files, c.roster)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if said != c.wrong {
			t.Errorf("%s: got %q", c.name, said)
		}
		if err != nil {
			continue
		}
		got := map[string]string{}
		for _, h := range all {
			got[h.Name] = ""
			if h.Of != nil {
				got[h.Name] = h.Of.Name
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
}

// FuzzParseRoster: any text is a roster or an error with a line, and nobody is in it twice.
func FuzzParseRoster(f *testing.F) {
	f.Add("name,seed,file\nAnna,1,a.sh\n\"B\"\"en\",,\n")
	f.Add("\ufeffname;x\r\n;\r\nA;")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := ParseRoster("r.csv", []byte(text))
		if (err == nil) == (len(entries) == 0) {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		seen := map[string]bool{}
		for _, e := range entries {
			if e.Name == "" || e.Seed == "" || e.Line < 2 || seen[key(e.Name)] {
				t.Errorf("%+v", e)
			}
			seen[key(e.Name)] = true
		}
	})
}
