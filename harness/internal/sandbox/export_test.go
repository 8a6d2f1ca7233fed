package sandbox

var (
	Explain         = explain
	ReadSubordinate = readSubordinate
	Redirect        = redirect
)

// FlagFiles returns the files and directories that the arguments of a test binary name.
func FlagFiles(args []string) (names, paths []string, isDir []bool) {
	for _, f := range readFlags(args) {
		names, paths, isDir = append(names, f.name), append(paths, f.value), append(isDir, dirFlags[f.name])
	}
	return names, paths, isDir
}
