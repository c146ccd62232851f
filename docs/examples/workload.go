// SPDX-License-Identifier: MIT

// A workload for AMPS that books payments. It answers 202 at once, which accepts
// the job, and works in a goroutine. The outcome follows with a call to the API of
// AMPS. A job that is not finished in JOB_TIMEOUT, because this program crashed
// or was too slow, is POSTed again.
//
//	go run workload.go
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
)

type payment struct {
	Data struct {
		Amount float64 `json:"amount"`
	} `json:"data"`
}

// What a real workload has instead of this: the work.
func book(job payment) error {
	if job.Data.Amount < 0 {
		return fmt.Errorf("amount %v is negative", job.Data.Amount)
	}
	return nil
}

func tell(api, call string, outcome map[string]string) {
	body, _ := json.Marshal(outcome)
	answer, err := http.Post(api+call, "application/json", bytes.NewReader(body))
	if err != nil {
		log.Print(err) // Nothing is lost: AMPS holds the job.
		return
	}
	answer.Body.Close()
}

func run(job payment, id, api string) {
	if err := book(job); err != nil {
		tell(api, "/reject", map[string]string{"identifier": id, "reason": err.Error()})
		return
	}
	tell(api, "/acknowledge", map[string]string{"identifier": id})
}

func take(w http.ResponseWriter, r *http.Request) {
	var job payment
	if err := json.NewDecoder(r.Body).Decode(&job); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	go run(job, r.Header.Get("Amps-Job-Id"), r.Header.Get("Amps-Api"))
	w.WriteHeader(http.StatusAccepted)
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "5050"
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, http.HandlerFunc(take)))
}
