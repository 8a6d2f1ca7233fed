package state

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	s := &State{Redacted: true, NotNamespaces: []string{"old"}, Namespaces: []Namespace{{
		Name: "a\xff\x1b\n", Links: []Link{{Name: "eth0", Addresses: []Address{{Prefix: pfx("10.0.0.1/24")}}}},
	}}}
	text, err := Encode(s, "netnscheck v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(text,
		[]byte("{\n \"version\": 1,\n \"program\": \"netnscheck v1.2.3\",\n \"namespaces\": [\n")) {
		t.Errorf("it begins otherwise:\n%s", text)
	}
	back, err := Decode(text)
	if err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("%+v came back as %+v: %v", s, back, err)
	}
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		`{"namespaces": [{"name": "a"}]}`:                                 "", // older than versions
		`{"version": 1, "program": "p 1", "namespaces": [{"name": "a"}]}`: "",
		`{"version": 99, "program": "p 7\u001b", "zones": [{}]}`: `the state has version 99 and was written by ` +
			`"p 7\x1b"; this program reads versions up to 1`,
		`{"version": 99}`: `the state has version 99 and was written by an unknown program; ` +
			`this program reads versions up to 1`,
		`{"Version": 2, "namespaces": []}`:           "version 2",
		`{"version": 0, "namespaces": []}`:           "there is no version 0 of states",
		`{"version": -1, "namespaces": []}`:          "there is no version -1 of states",
		"{\n\"version\": \"1\", \"namespaces\": []}": "line 2: ",
		`{"version": 1.5}`:                           "line 1: ",
		`{"version": 1, "program": "p 1", "zones": []}`: `this program, which reads versions up to 1, ` +
			`knows no field "zones"; the state has version 1 and was written by "p 1"`,
		`{"namespaces": [{"name": "a", "links": [{"nmae": 1}]}]}`: `knows no field "nmae"; ` +
			`the state has no version and was written by an unknown program`,
		"{\"namespaces\": []}\n{}": "line 2: invalid character '{' after top-level value",
		"{\"namespaces\": []}\nx":  "line 2: ",
		"{\"namespaces\":\n 3}":    "line 2: ",
		"{":                        "line 1: ",
		"":                         "line 1: ",
		`[]`:                       "line 1: ",
		`null`:                     "",
	} {
		s, err := Decode([]byte(text))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %+v, %v, want %s", text, s, err, want)
		}
	}
}

// TestDecodeHeldStates: the state files in the tests of the diagnosis are older than versions.
func TestDecodeHeldStates(t *testing.T) {
	files, err := filepath.Glob("../diagnose/testdata/*.json")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var held struct{ State json.RawMessage }
		if err := json.Unmarshal(text, &held); err != nil {
			t.Fatal(err)
		}
		s, err := Decode(held.State)
		if err != nil || len(s.Namespaces) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDecode: what is decoded can be encoded and decoded to the same state, and trailing text is never ignored.
func FuzzDecode(f *testing.F) {
	f.Add(`{"version": 1, "program": "p",
		"namespaces": [{"name": "a", "links": [{"name": "l", "addresses": [{"prefix": "10.0.0.1/8"}]}]}]}`)
	f.Add(`{"namespaces": [{"filters": [{"chains": [{"rules": [{"addr": "fe80::1%x"}]}]}]}]} x`)
	f.Add(`{"version": 2}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Decode([]byte(text))
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("%q is no JSON", text)
		}
		again, err := Encode(s, "p")
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		back, err := Decode(again)
		if err != nil {
			t.Fatalf("%q: %v", again, err)
		}
		once, err := Encode(back, "p")
		if err != nil || !bytes.Equal(once, again) {
			t.Errorf("%s came back as %s: %v", again, once, err)
		}
	})
}
