package sms

import "fmt"

// Price is an amount of money in hundredths of a fen (0.0001 yuan): carriers' prices a part are 3.5 to 5 fen.
type Price int64

// Yuan and Fen in Price.
const (
	Fen  Price = 100
	Yuan Price = 100 * Fen
)

// Fen is the price in whole fen, rounded up.
func (p Price) Fen() int64 { return int64((p + Fen - 1) / Fen) }

// String writes it in yuan, as on an invoice: 0.045元.
func (p Price) String() string {
	switch {
	case p%Fen == 0:
		return fmt.Sprintf("%d.%02d元", p/Yuan, p%Yuan/Fen)
	case p%10 == 0:
		return fmt.Sprintf("%d.%03d元", p/Yuan, p%Yuan/10)
	}
	return fmt.Sprintf("%d.%04d元", p/Yuan, p%Yuan)
}
