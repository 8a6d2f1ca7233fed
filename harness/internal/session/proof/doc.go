// Package proof holds only tests: a person sits at a pseudo-terminal of 80 columns and 24 rows, starts the real
// program, and types. What the terminal shows is compared with golden text in testdata, and README's pictures are made
// of it; the flag -update writes both anew. No other package imports it. It changes nothing outside the folders that it
// makes: the program runs in its sandbox, as the user of the tests and, if that is root, as an ordinary user too.
package proof
