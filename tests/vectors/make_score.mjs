// SPDX-License-Identifier: MIT
// Makes score.json with the original application's own arithmetic, in a JavaScript engine. Seeded:
// a second run gives the same file.
//     node tests/vectors/make_score.mjs > tests/vectors/score.json

let seed = 20260701;
const random = (below) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 4294967296) * below);
};

function results(votes, ballots) {
  const scores = new Map();
  for (const ballot of ballots) {
    ballot.forEach((id, n) => {
      const weight = Math.pow((votes - 0.5 * n) / votes, n + 1);
      scores.set(id, (scores.get(id) ?? 0) + weight);
    });
  }
  return [...scores]
    .map(([nominationID, score]) => ({ nominationID, score }))
    .sort((a, b) => b.score - a.score);
}

function drawBallot(votes, names) {
  const left = [...names];
  const ballot = [];
  for (let i = random(Math.min(votes, names.length)) + 1; i > 0; i--) {
    ballot.push(...left.splice(random(left.length), 1));
  }
  return ballot;
}

const course = ["n2 n1 n3", "n4 n1 n2", "n3 n2 n1", "n2 n4 n1"].map((ids) => ids.split(" "));
const cases = [
  { votes: 3, ballots: course },
  { votes: 2, ballots: [] },
];
for (let votes = 1; votes <= 5; votes++) {
  for (const [nominations, voters] of [[1, 1], [2, 2], [3, 7], [8, 20], [20, 60], [200, 300]]) {
    const names = Array.from({ length: nominations }, (_, i) => `n${i}`);
    cases.push({ votes, ballots: Array.from({ length: voters }, () => drawBallot(votes, names)) });
  }
}
console.log("[");
const lines = cases.map((one) =>
  JSON.stringify({ ...one, results: results(one.votes, one.ballots) }),
);
console.log(lines.join(",\n"));
console.log("]");
