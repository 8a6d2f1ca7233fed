package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// source is an entry of apt's sources (sources.list(5)).
type source struct {
	uris, suites, components []string
	signedBy                 string // a path, a fingerprint, or a whole key on indented lines
	disabled                 bool
}

// writeSources writes our sources: the mirrors of the machine, with all suites that we look at. It returns their text.
func (a *Archive) writeSources(ctx context.Context) (string, error) {
	entries, err := machineSources(ctx)
	if err != nil {
		return "", err
	}
	text, err := ourSources(entries)
	if err != nil {
		return "", err
	}
	for name, content := range map[string]string{"debian.sources": text, "status": ""} {
		file := filepath.Join(a.dir, name)
		if old, err := os.ReadFile(file); err == nil && string(old) == content {
			continue // a new time would make apt read all lists again
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return "", fmt.Errorf("write to the cache: %w", err)
		}
	}
	return text, nil
}

// machineSources reads the machine's sources from where its apt has them.
func machineSources(ctx context.Context) ([]source, error) {
	cmd := exec.CommandContext(ctx, "apt-config", "shell", "list", "Dir::Etc::sourcelist/f", "parts",
		"Dir::Etc::sourceparts/d")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("ask apt-config for the sources of packages: %w", err)
	}
	places := map[string]string{"list": "/etc/apt/sources.list", "parts": "/etc/apt/sources.list.d"}
	for line := range strings.Lines(string(out)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			places[name] = strings.Trim(value, "'")
		}
	}
	files := []string{places["list"]}
	for _, ending := range []string{"*.list", "*.sources"} {
		more, _ := filepath.Glob(filepath.Join(places["parts"], ending))
		files = append(files, more...)
	}
	var entries []source
	for _, file := range files {
		text, err := os.ReadFile(file)
		switch {
		case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
			continue
		case err != nil:
			return nil, fmt.Errorf("read the sources of packages: %w", err)
		}
		if strings.HasSuffix(file, ".sources") {
			entries = append(entries, parseStanzas(string(text))...)
		} else {
			entries = append(entries, parseLines(string(text))...)
		}
	}
	return entries, nil
}

// parseStanzas reads sources in deb822 style: paragraphs of fields, which go on in indented lines.
func parseStanzas(text string) (entries []source) {
	for paragraph := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		fields, last := map[string]string{}, ""
		for line := range strings.Lines(paragraph) {
			line = strings.TrimRight(line, "\n")
			switch {
			case strings.HasPrefix(line, "#"):
			case strings.HasPrefix(line, " "), strings.HasPrefix(line, "\t"):
				fields[last] += "\n" + line
			default:
				name, value, _ := strings.Cut(line, ":")
				last = strings.ToLower(strings.TrimSpace(name))
				fields[last] = strings.TrimSpace(value)
			}
		}
		e := source{
			uris: strings.Fields(fields["uris"]), suites: strings.Fields(fields["suites"]),
			components: strings.Fields(fields["components"]), signedBy: fields["signed-by"],
			disabled: strings.EqualFold(fields["enabled"], "no") || strings.EqualFold(fields["enabled"], "false"),
		}
		if slices.Contains(strings.Fields(fields["types"]), "deb") && len(e.uris) > 0 && len(e.suites) > 0 {
			entries = append(entries, e)
		}
	}
	return entries
}

// parseLines reads sources in one-line style: deb [option=value …] URI suite component…
func parseLines(text string) (entries []source) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb")
		if !ok || strings.TrimLeft(rest, " \t") == rest {
			continue
		}
		var e source
		rest = strings.TrimSpace(rest)
		if options, after, ok := strings.Cut(rest, "]"); ok && strings.HasPrefix(options, "[") {
			for _, o := range strings.Fields(options[1:]) {
				if value, ok := strings.CutPrefix(o, "signed-by="); ok {
					e.signedBy = value
				}
			}
			rest = after
		}
		words := strings.Fields(rest)
		if len(words) < 3 {
			continue
		}
		e.uris, e.suites, e.components = words[:1], words[1:2], words[2:]
		entries = append(entries, e)
	}
	return entries
}

// ourSources writes the sources of all suites in deb822 style: those of security at their mirror, the others at theirs.
func ourSources(machine []source) (string, error) {
	main := mirror(machine, false)
	if main == nil {
		return "", errors.New("find Debian's archive: the apt of this machine has no source of Debian's packages " +
			"(suites like bookworm, component main)")
	}
	security := mirror(machine, true)
	var text strings.Builder
	for _, m := range []*source{main, security} {
		if m == nil {
			continue // without a source of security updates there are the other suites
		}
		var suites []string
		for _, s := range Suites {
			if strings.HasSuffix(s, "-security") == (m == security) {
				suites = append(suites, s)
			}
		}
		fmt.Fprintf(&text, "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nArchitectures: %s\nTargets: Packages\n",
			m.uris[0], strings.Join(suites, " "), architecture)
		if m.signedBy != "" {
			fmt.Fprintf(&text, "Signed-By: %s\n", m.signedBy)
		}
		text.WriteByte('\n')
	}
	return text.String(), nil
}

// mirror is the machine's source of Debian's packages, or of its security updates; nil without one. Others have suites
// of the same names: what Debian's keys sign goes first, then what names no keys, then what is named debian.
func mirror(machine []source, security bool) *source {
	var found []source
	for _, e := range machine {
		ours := slices.ContainsFunc(e.suites, func(suite string) bool {
			base, pocket, _ := strings.Cut(suite, "-")
			isSecurity := pocket == "security" || strings.HasSuffix(base, "/updates")
			return isSecurity == security && debianSuites[strings.TrimSuffix(base, "/updates")]
		})
		if ours && !e.disabled && slices.Contains(e.components, "main") {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return nil
	}
	rank := func(e source) int {
		switch {
		case strings.Contains(e.signedBy, "debian-archive"):
			return 0
		case e.signedBy == "":
			return 1
		case strings.Contains(e.uris[0], "/debian"):
			return 2
		}
		return 3
	}
	best := slices.MinFunc(found, func(a, b source) int { return cmp.Compare(rank(a), rank(b)) })
	return &best
}

// debianSuites are the names of suites before a hyphen.
var debianSuites = func() map[string]bool {
	names := map[string]bool{}
	for _, n := range append(strings.Fields("stable oldstable oldoldstable testing unstable duke"), Suites...) {
		base, _, _ := strings.Cut(n, "-")
		names[base] = true
	}
	return names
}()
