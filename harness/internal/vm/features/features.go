// Package features is the table of which kernel has which feature, and the file that keeps it, features.yaml. It is
// pure; the command vm may import it. It never tries a feature.
package features

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// File is the name of the file.
const File = "features.yaml"

// Table says which kernels have which features.
type Table struct {
	Kernels  []Kernel  // from the oldest to the newest
	Features []Feature // by their names
	// Gone are the features that newer kernels lack on purpose, by their names. They are written by hand.
	Gone map[string]Gone
}

// Gone is from which series of kernels on a feature is gone, and why.
type Gone struct {
	Since string `yaml:"since"`
	Why   string `yaml:"why"`
}

// Kernel is a kernel that was tried, under the name by which it was asked for.
type Kernel struct{ Name, Release string }

// Feature is a feature and the kernels that have it, by their names. Undecided are those of which the trial did not
// tell; the others lack it.
type Feature struct {
	Name      string
	Present   []string
	Undecided []string
}

// Add adds the findings of a kernel that is newer than those in the table.
func (t *Table) Add(k Kernel, name string, present, undecided bool) {
	if !slices.Contains(t.Kernels, k) {
		t.Kernels = append(t.Kernels, k)
	}
	i, found := slices.BinarySearchFunc(t.Features, name, func(f Feature, name string) int {
		return strings.Compare(f.Name, name)
	})
	if !found {
		t.Features = slices.Insert(t.Features, i, Feature{Name: name})
	}
	switch f := &t.Features[i]; {
	case present:
		f.Present = append(f.Present, k.Name)
	case undecided:
		f.Undecided = append(f.Undecided, k.Name)
	}
}

// Absent reports whether the kernel of this name was found to lack the feature.
func (f *Feature) Absent(kernel string) bool {
	return !slices.Contains(f.Present, kernel) && !slices.Contains(f.Undecided, kernel)
}

// Vanished tells which features an older kernel has and a newer one lacks, a line for each, but for those that are gone
// on purpose; and which of these are still there. compare orders two releases of kernels.
func (t *Table) Vanished(compare func(a, b string) int) (lines []string) {
	for i := range t.Features {
		f := &t.Features[i]
		var has *Kernel // the newest so far that has it
		for n := range t.Kernels {
			k := &t.Kernels[n]
			expected := t.gone(f.Name, k.Release, compare)
			switch {
			case slices.Contains(f.Present, k.Name):
				if has = k; expected {
					lines = append(lines, fmt.Sprintf("%s: it is said to be gone since %s, and %s (%s) has it", f.Name,
						t.Gone[f.Name].Since, k.Name, k.Release))
				}
			case expected:
				has = nil
			case has != nil && f.Absent(k.Name):
				lines = append(lines, fmt.Sprintf("%s: %s (%s) has it, %s (%s) lacks it", f.Name, has.Name, has.Release,
					k.Name, k.Release))
				has = nil
			}
		}
	}
	return lines
}

// gone reports whether a feature is gone on purpose from a release.
func (t *Table) gone(feature, release string, compare func(a, b string) int) bool {
	gone, known := t.Gone[feature]
	return known && compare(release, gone.Since) >= 0
}

// Lost tells which features a kernel had in an earlier table and lacks in this one, a line for each, but for those that
// are gone on purpose from its release now: the newest kernel is another one each time.
func (t *Table) Lost(before *Table, compare func(a, b string) int) (lines []string) {
	for _, old := range before.Features {
		i := slices.IndexFunc(t.Features, func(f Feature) bool { return f.Name == old.Name })
		if i < 0 {
			continue // it is no feature any more
		}
		for _, k := range t.Kernels {
			if slices.Contains(old.Present, k.Name) && t.Features[i].Absent(k.Name) &&
				!t.gone(old.Name, k.Release, compare) {
				lines = append(lines, fmt.Sprintf("%s: %s had it as %s, and lacks it as %s", old.Name, k.Name,
					before.release(k.Name), k.Release))
			}
		}
	}
	return lines
}

func (t *Table) release(name string) string {
	for _, k := range t.Kernels {
		if k.Name == name {
			return k.Release
		}
	}
	return "another"
}

const head = `# Which kernels have which features, as harness doctor finds them in a guest.
# Made by harness vm --features. An entry lists the kernels that have the feature. One that vanishes on a newer kernel
# is a failure, unless it is among those that are gone on purpose. These alone are written by hand, and kept.
`

// document is the file.
type document struct {
	Kernels   yaml.MapSlice        `yaml:"kernels"`
	Features  yaml.MapSlice        `yaml:"features"`
	Undecided map[string]onOneLine `yaml:"undecided,omitempty"`
	Gone      map[string]Gone      `yaml:"gone,omitempty"`
}

// onOneLine is a list that is written on one line.
type onOneLine []string

func (l onOneLine) MarshalYAML() ([]byte, error) {
	return yaml.MarshalWithOptions([]string(l), yaml.Flow(true))
}

// Text is the file of a table. The same table gives the same bytes.
func (t *Table) Text() ([]byte, error) {
	d := document{Gone: t.Gone}
	for _, k := range t.Kernels {
		d.Kernels = append(d.Kernels, yaml.MapItem{Key: k.Name, Value: k.Release})
	}
	for _, f := range t.Features {
		d.Features = append(d.Features, yaml.MapItem{Key: f.Name, Value: onOneLine(f.Present)})
		if len(f.Undecided) > 0 {
			if d.Undecided == nil {
				d.Undecided = map[string]onOneLine{}
			}
			d.Undecided[f.Name] = f.Undecided
		}
	}
	text, err := yaml.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", File, err)
	}
	return append([]byte(head), text...), nil
}

// Parse reads the text of a file.
func Parse(text []byte) (*Table, error) {
	var d document
	if err := yaml.UnmarshalWithOptions(text, &d, yaml.Strict(), yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("read %s: %w", File, err)
	}
	t := &Table{Gone: d.Gone}
	for _, item := range d.Kernels {
		t.Kernels = append(t.Kernels, Kernel{fmt.Sprint(item.Key), fmt.Sprint(item.Value)})
	}
	for _, item := range d.Features {
		f := Feature{Name: fmt.Sprint(item.Key), Undecided: d.Undecided[fmt.Sprint(item.Key)]}
		list, ok := item.Value.([]any)
		if !ok {
			return nil, fmt.Errorf("read %s: %s is not a list of kernels", File, f.Name)
		}
		for _, name := range list {
			f.Present = append(f.Present, fmt.Sprint(name))
		}
		t.Features = append(t.Features, f)
	}
	for name, gone := range t.Gone {
		if gone.Since == "" || gone.Why == "" {
			return nil, fmt.Errorf("read %s: %s is gone: since which kernel (since), and why (why)?", File, name)
		}
		if len(t.Features) > 0 && !slices.ContainsFunc(t.Features, func(f Feature) bool { return f.Name == name }) {
			return nil, fmt.Errorf("read %s: %s is gone, and is no feature", File, name)
		}
	}
	return t, nil
}
