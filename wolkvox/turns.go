package wolkvox

import (
	"context"
	"crypto/sha256"
	"sync"

	"golang.org/x/sync/semaphore"
)

// TokenLimiter lets clients that share a token make one request at a time: the vendor
// forbids to use a token twice at once. Whoever has waited longest is next. The
// zero value is ready; it is for several goroutines.
type TokenLimiter struct {
	mu     sync.Mutex
	queues map[[sha256.Size]byte]*queue // by a token's hash, as long as somebody is in it
}

// queue is of those who use a token or wait for it. A semaphore serves them in
// the order in which they came.
type queue struct {
	*semaphore.Weighted
	length int
}

// take waits for the token's turn, or for ctx's end. The turn is over with done.
func (t *TokenLimiter) take(ctx context.Context, token string) (done func(), err error) {
	key := sha256.Sum256([]byte(token))
	q := t.enter(key)
	if err := q.Acquire(ctx, 1); err != nil {
		t.leave(key)
		return nil, context.Cause(ctx)
	}
	return func() {
		q.Release(1)
		t.leave(key)
	}, nil
}

func (t *TokenLimiter) enter(key [sha256.Size]byte) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	q, ok := t.queues[key]
	if !ok {
		if t.queues == nil {
			t.queues = map[[sha256.Size]byte]*queue{}
		}
		q = &queue{Weighted: semaphore.NewWeighted(1)}
		t.queues[key] = q
	}
	q.length++
	return q
}

func (t *TokenLimiter) leave(key [sha256.Size]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queues[key].length--; t.queues[key].length == 0 {
		delete(t.queues, key)
	}
}
