package guest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/creack/pty"

	"netnscheck/harness/internal/vm/wire"
)

// openTerminal gives the harness a pseudo-terminal, which is connected to the terminal outside by a serial port. The
// size follows the orders that come in on the port for frames.
func (s *seat) openTerminal(request wire.Request) error {
	port, err := openPort(terminalPort)
	if err != nil {
		return err
	}
	master, tty, err := pty.Open()
	if err != nil {
		return fmt.Errorf("open a pseudo-terminal: %w", err)
	}
	uid := 0
	if request.User {
		uid = userID
	}
	if err := tty.Chown(uid, ttyGroup); err != nil {
		return fmt.Errorf("give the harness its terminal: %w", err)
	}
	resize := func(size wire.Size) { pty.Setsize(master, &pty.Winsize{Rows: size.Rows, Cols: size.Columns}) }
	resize(*request.Terminal)
	s.theirs = append(s.theirs, tty, tty, tty)
	s.close = append(s.close, port)
	go io.Copy(master, port)
	go func() {
		orders := bufio.NewScanner(s.to.to)
		for orders.Scan() {
			var order wire.Order
			if json.Unmarshal(orders.Bytes(), &order) == nil && order.Size != nil {
				resize(*order.Size)
			}
		}
	}()
	s.read(func() {
		io.Copy(port, master) // until the last process has closed its end: EIO
		drain(port)
	})
	return nil
}
