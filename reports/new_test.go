package reports

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNewFileHasNoOtherName(t *testing.T) {
	dir := t.TempDir()
	path, beside := filepath.Join(dir, "x"), filepath.Join(dir, ".x.new")
	if !placeNew(path, beside, []byte("whole"), 0o640) {
		t.Skip("this file system has no unnamed files")
	}
	text, err := os.ReadFile(path)
	if info, statErr := os.Stat(path); err != nil || statErr != nil || string(text) != "whole" || info.Mode() != 0o640 {
		t.Errorf("%q, %v, %v", text, info, err)
	}
	if placeNew(path, beside, []byte("again"), 0o640) {
		t.Error("what is there was not left to be replaced")
	}
}
