// Package siege holds only tests. They play scenarios that try to harm the host, the user who starts the harness, or
// the verdict, against the real program, started as root and as an ordinary user. Each test has a canary outside the
// sandbox. It passes if the attack ran to its end and the canary was not affected. docs/sandbox.md says which wall each
// test covers.
//
// These tests do not run inside sandbox.TestMain, since they are the host outside. They use directories and mount
// namespaces of their own, so that an attack that succeeds only hits canaries.
package siege
