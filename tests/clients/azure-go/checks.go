package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// checks counts the checks that passed and failed.
type checks struct {
	passed, failed int
}

func (c *checks) check(what string, ok bool, why any) {
	if ok {
		c.passed++
		fmt.Println("ok  ", what)
		return
	}
	c.failed++
	fmt.Printf("FAIL %s: %v\n", what, why)
}

// refused checks the library's own error type for its status and code, and returns the vendor's response.
func (c *checks) refused(what string, err error, status int, code string) *http.Response {
	var refusal *azcore.ResponseError
	if !errors.As(err, &refusal) {
		c.check(what, false, err)
		return nil
	}
	c.check(what, refusal.StatusCode == status && refusal.ErrorCode == code, err)
	return refusal.RawResponse
}

// step runs one part of the suite; an unexpected error or panic is one failed check.
func (c *checks) step(name string, part func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), stepTime)
	defer cancel()
	defer func() {
		if panic := recover(); panic != nil {
			c.check(name, false, panic)
		}
	}()
	if err := part(ctx); err != nil {
		c.check(name, false, err)
	}
}

func (c *checks) close(name string) {
	fmt.Printf("%s: %d passed, %d failed\n", name, c.passed, c.failed)
	if c.failed > 0 || c.passed == 0 {
		os.Exit(1)
	}
}

func distinct(words []string) map[string]bool {
	seen := map[string]bool{}
	for _, word := range words {
		seen[word] = true
	}
	return seen
}
