"""kill -9 under load, and a judge of what is left of it.

```text
conductor    starts processes, kills them, begins them again, and hears what was acknowledged
  process    one of them: a worker, or the daemon
  ledger     what was begun and what was acknowledged, by way of a pipe that outlives who wrote into it
  judge      lost, doubled, partial, left over
message      what is submitted: its subject tells what it should be
powermta     a program: takes files away all the time, and looks at each before
  taker      who starts it, and hears what it took
python_worker  fork_worker  node_worker  http_worker  command_worker
             programs: submit through their door until their standard input ends
```

A worker is told by a line on its standard input who it is and what it shall try again: keys whose submission its last
life began and was not told of, and some that it was told of, whose files PowerMTA has taken long ago.
"""
