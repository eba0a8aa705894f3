package outbox

// byOperator is the code of a stop that an operator made: it lasts until an operator ends it.
const byOperator = "operator"
