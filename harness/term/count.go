package term

import "fmt"

// Count is a number of things in words: "1 point", "3 points".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
