package input

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/reports"
)

// Reports reads JSON reports of runs that have ended. Each word is a file, a folder, or several of them with commas
// between; of a folder, its *.json are read, and where it has none, the results.json of the folders in it.
func Reports(ctx context.Context, words ...string) (all []reports.Saved, err error) {
	for _, word := range words {
		files := []string{word}
		if _, err := os.Stat(word); err != nil {
			files = strings.Split(word, ",")
		}
		for _, file := range files {
			of, err := reportsIn(file)
			if err != nil {
				return nil, err
			}
			for _, file := range of {
				r, err := Interruptible(ctx, "read the report "+file, func() (reports.Saved, error) {
					r, err := reports.ReadFinished(file)
					return r, status.With(status.Usage, err)
				})
				if err != nil {
					return nil, err
				}
				all = append(all, r)
			}
		}
	}
	return all, nil
}

// reportsIn are the files of a word: itself, or those in the folder that it names.
func reportsIn(word string) ([]string, error) {
	info, err := os.Stat(word)
	switch {
	case word == "":
		return nil, status.Usagef("read the report: the name of a file is missing")
	case err != nil:
		return nil, status.Usagef("read the report %s: %w", word, errors.Unwrap(err))
	case !info.IsDir():
		return []string{word}, nil
	}
	for _, pattern := range []string{"*.json", filepath.Join("*", "results.json")} {
		found, err := filepath.Glob(filepath.Join(escaped(word), pattern))
		if err != nil {
			return nil, status.Usagef("read the folder %s: %w", word, err)
		}
		if len(found) > 0 {
			return found, nil
		}
	}
	return nil, status.Usagef("read the folder %s: it has no report: no *.json, and no folder with a results.json", word)
}

// escaped is a path as a pattern that matches it alone.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
