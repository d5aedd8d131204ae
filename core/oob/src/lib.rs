//! What travels out of band: sealed PASSporTs, key statements and the HTTP messages. Pure: no I/O, clock or global.
