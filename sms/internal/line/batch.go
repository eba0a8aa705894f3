package line

import "context"

// Batches collects what comes in over all connections of a line and hands it over in batches, so that one commit serves many.
type Batches[T any] struct {
	most  int
	queue chan T
}

// NewBatches holds at most size items; a batch has at most most of them.
func NewBatches[T any](size, most int) *Batches[T] {
	return &Batches[T]{most: most, queue: make(chan T, size)}
}

// Add queues an item; false when there are too many already.
func (b *Batches[T]) Add(item T) bool {
	select {
	case b.queue <- item:
		return true
	default:
		return false
	}
}

// Run hands over what has gathered, batch by batch, until ctx ends.
func (b *Batches[T]) Run(ctx context.Context, take func(ctx context.Context, items []T)) {
	for {
		var items []T
		select {
		case <-ctx.Done():
			return
		case first := <-b.queue:
			items = append(items, first)
		}
		for len(items) < b.most && len(b.queue) > 0 {
			items = append(items, <-b.queue)
		}
		take(ctx, items)
	}
}

// BatchSize is how many messages a caller hands over at once to a line with a granted rate (a second, 0: none): a second's worth, from
// 1 to 100.
func BatchSize(rate float64) int {
	const most = 100
	if rate <= 0 {
		return most
	}
	return int(min(max(rate, 1), most))
}
