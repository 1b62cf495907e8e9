package wolkvox

import (
	"context"
	"crypto/sha256"
	"sync"

	"golang.org/x/sync/semaphore"
)

// TokenLimiter limits clients that share a token to one request at a time, in the order in
// which they ask: the vendor forbids to use a token twice at once. The zero value is ready. It
// is safe for concurrent use.
type TokenLimiter struct {
	mu     sync.Mutex
	queues map[[sha256.Size]byte]*tokenQueue // by the token's hash, while it is used
}

// tokenQueue serves the users of a token in their order.
type tokenQueue struct {
	*semaphore.Weighted
	users int // with those that wait
}

// acquire waits until token is free, or until the end of ctx.
func (l *TokenLimiter) acquire(ctx context.Context, token string) (release func(), err error) {
	key := sha256.Sum256([]byte(token))
	queue := l.join(key)
	if err := queue.Acquire(ctx, 1); err != nil {
		l.leave(key)
		return nil, context.Cause(ctx)
	}
	return func() {
		queue.Release(1)
		l.leave(key)
	}, nil
}

func (l *TokenLimiter) join(key [sha256.Size]byte) *tokenQueue {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queues == nil {
		l.queues = map[[sha256.Size]byte]*tokenQueue{}
	}
	if l.queues[key] == nil {
		l.queues[key] = &tokenQueue{Weighted: semaphore.NewWeighted(1)}
	}
	l.queues[key].users++
	return l.queues[key]
}

func (l *TokenLimiter) leave(key [sha256.Size]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queues[key].users--; l.queues[key].users == 0 {
		delete(l.queues, key)
	}
}
