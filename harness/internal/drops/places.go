package drops

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

// places are the functions of the kernel that have been looked for, by an address in them.
var places sync.Map

// placeOf is the name of the function at an address; "" if the kernel does not show its addresses.
func placeOf(address uint64) (string, error) {
	if name, ok := places.Load(address); ok {
		return name.(string), nil
	}
	name, err := symbolAt(address)
	if err != nil {
		return "", fmt.Errorf("read the kernel's symbols: %w", err)
	}
	places.Store(address, name)
	return name, nil
}

// symbolAt searches /proc/kallsyms, which is not in order, for the last symbol of code that does not lie behind the
// address.
func symbolAt(address uint64) (string, error) {
	file, err := os.Open("/proc/kallsyms")
	if err != nil {
		return "", err
	}
	defer file.Close()
	var best uint64
	var name string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		at, rest, _ := strings.Cut(lines.Text(), " ") // address, type, name, and after a tab the module
		kind, symbol, _ := strings.Cut(rest, " ")
		if !strings.Contains("tTwW", kind) {
			continue
		}
		if n, err := strconv.ParseUint(at, 16, 64); err == nil && n != 0 && n <= address && n >= best {
			best = n
			name = function(symbol)
		}
	}
	return name, lines.Err()
}

// function is the function in a symbol: a compiler splits and clones functions, and calls the parts ip_forward.cold or
// ip_forward.part.0; behind a tab stands the module.
func function(symbol string) string {
	name, _, _ := strings.Cut(symbol, "\t")
	if dot := strings.IndexByte(name, '.'); dot > 0 {
		name = name[:dot]
	}
	return name
}
