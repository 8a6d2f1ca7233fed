package scenario

import (
	"regexp"

	"netnscheck/harness/nearest"
)

// variables are the values of `{{name}}`.
type variables struct {
	values map[string]string
	names  []string
}

func newVariables(vars []Var) variables {
	v := variables{values: map[string]string{}}
	for _, one := range vars {
		v.values[one.Name] = one.Value
		v.names = append(v.names, one.Name)
	}
	return v
}

// nearUse is a variable with blanks in its braces.
var nearUse = regexp.MustCompile(`\{\{[ \t]*([A-Za-z_][A-Za-z0-9_-]*)[ \t]*\}\}`)

var variableUse = regexp.MustCompile(`\{\{([A-Za-z_][A-Za-z0-9_-]*)\}\}`)

// replace replaces each `{{name}}` by its value. A name that is not in the front matter is a problem of the line.
func (v variables) replace(text string, line int, f *findings) string {
	for _, use := range nearUse.FindAllStringSubmatch(text, -1) {
		if _, known := v.values[use[1]]; known && use[0] != "{{"+use[1]+"}}" {
			f.add(line, "a variable is written {{%s}}, without blanks, found %s", use[1], use[0])
		}
	}
	return variableUse.ReplaceAllStringFunc(text, func(use string) string {
		name := use[2 : len(use)-2]
		value, ok := v.values[name]
		if !ok {
			f.add(line, "unknown variable %s%s (variables are defined under vars in the front matter)", use,
				nearest.DidYouMean(name, v.names))
		}
		return value
	})
}
