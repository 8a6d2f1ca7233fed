// Package siege holds nothing but tests: they play scenarios of somebody who wants to harm the machine, the user who
// starts the harness, or the verdict, against the real program, started as root and as an ordinary user. Each has a
// canary outside the sandbox, and it passes when the attack was carried out to its end and the canary knows nothing of
// it. docs/sandbox.md says which wall each of them proves.
//
// These tests do not run inside sandbox.TestMain: they are the machine outside. What they need to be hostile lies in
// folders and mount namespaces of their own, so that an attack that succeeds meets canaries alone.
package siege
