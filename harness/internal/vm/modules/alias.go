package modules

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// aliased is the name of the module that an alias of a soft dependency stands for, "" if there is none. Of several
// implementations of an algorithm it is the generic one, which needs no special processor, else the first by name.
func (t *Tree) aliased(alias string) (string, error) {
	if generic := alias + "_generic"; t.files[generic] != "" {
		return generic, nil
	}
	if t.aliases == nil {
		if err := t.readAliases(); err != nil {
			return "", err
		}
	}
	names := t.aliases[alias]
	if len(names) == 0 {
		return "", nil
	}
	return names[0], nil
}

// readAliases reads depmod's list of aliases. A package has none before it is installed; then the modules are asked
// whose aliases others name in their soft dependencies: those of algorithms.
func (t *Tree) readAliases() error {
	t.aliases = map[string][]string{}
	text, err := fs.ReadFile(t.fsys, "modules.alias")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the aliases of modules: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "alias" {
			t.addAlias(f[1], f[2])
		}
	}
	if err != nil {
		for name, file := range t.files {
			if !strings.Contains("/"+file, "/crypto/") {
				continue
			}
			info, err := t.Info(file)
			if err != nil {
				return err
			}
			for _, a := range info.Aliases {
				t.addAlias(a, name)
			}
		}
	}
	for _, names := range t.aliases {
		slices.Sort(names)
	}
	return nil
}

func (t *Tree) addAlias(alias, name string) {
	alias, name = normal(alias), normal(name)
	if t.files[name] != "" && !slices.Contains(t.aliases[alias], name) {
		t.aliases[alias] = append(t.aliases[alias], name)
	}
}
