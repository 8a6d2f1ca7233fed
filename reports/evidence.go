package reports

import (
	"net/url"
	"path/filepath"
	"slices"

	"netnscheck/harness/term"
)

// seenFrom is the run with the paths of its evidence as they are from a report in this file.
func (r *Run) seenFrom(file string) *Run {
	out := *r
	out.Suites = slices.Clone(r.Suites)
	for i := range out.Suites {
		s := &out.Suites[i]
		s.Cases = slices.Clone(s.Cases)
		for j := range s.Cases {
			s.Cases[j].Evidence = seenFrom(file, s.Cases[j].Evidence)
		}
	}
	return &out
}

func seenFrom(file, path string) string {
	if file == "" || path == "" {
		return path
	}
	from, err1 := filepath.Abs(filepath.Dir(file))
	to, err2 := filepath.Abs(path)
	if err1 != nil || err2 != nil {
		return path
	}
	if relative, err := filepath.Rel(from, to); err == nil {
		return relative
	}
	return path
}

// htmlLink is a link to a folder with evidence.
type htmlLink struct {
	Href string `json:"href"`
	Path string `json:"path"`
}

// evidenceLink is nil if there is no evidence.
func (c *Case) evidenceLink() *htmlLink {
	if c.Evidence == "" {
		return nil
	}
	return &htmlLink{(&url.URL{Path: c.Evidence + "/"}).String(), term.OneLine(c.Evidence)}
}
