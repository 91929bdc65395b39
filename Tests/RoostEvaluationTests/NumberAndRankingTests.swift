internal import RoostEvaluation
internal import Testing

struct NumberAndRankingTests {
    @Test func handCalculatedErrors() throws {
        let data = Observations.numbers(NumberObservations(predictions: [2.5, 0, 2, 8], truths: [3, -0.5, 2, 7]))
        #expect(try data.value(of: .mse) == 0.375)
        #expect(try data.value(of: .rmse) == 0.375.squareRoot())
        #expect(try data.value(of: .mae) == 0.5)
        #expect(abs(try data.value(of: .r2) - 0.9486081370449679) < 1e-15)
    }

    @Test func labelsThatAreAllTheSame() throws {
        let right = Observations.numbers(NumberObservations(predictions: [4, 4], truths: [4, 4]))
        let wrong = Observations.numbers(NumberObservations(predictions: [4, 5], truths: [4, 4]))
        #expect(try right.value(of: .r2) == 1)
        #expect(try wrong.value(of: .r2) == 0)
        #expect(try right.estimate(of: .rmse).variance == 0)
    }

    @Test func whatIsNoNumberIsRefused() {
        let data = Observations.numbers(NumberObservations(predictions: [.nan, 1], truths: [1, 1]))
        #expect(throws: UndefinedMetric(.mse, "some predictions are not finite numbers")) { try data.value(of: .mse) }
        let one = Observations.numbers(NumberObservations(predictions: [1], truths: [1]))
        #expect(throws: UndefinedMetric(.r2, "it needs two observations, there is 1")) { try one.value(of: .r2) }
        #expect(throws: UndefinedMetric.self) { try one.value(of: .auc) }
    }

    /// Values of scikit-learn's `ndcg_score`; the last one has equal scores.
    @Test(arguments: [
        ([0.1, 0.2, 0.3, 4, 70], 0.6956940443813076), ([0.05, 1.1, 1, 0.5, 0], 0.493680191377376),
        ([1.0, 0, 0, 0, 1], 0.9279733094794905),
    ])
    func gains(scores: [Double], expected: Double) throws {
        let group = RankingObservations.Group(scores: scores, relevances: [10, 0, 0, 1, 5])
        let value = try Observations.rankings(RankingObservations(groups: [group])).value(of: .ndcg)
        #expect(abs(value - expected) < 1e-14)
    }

    @Test func groupsCountAlikeAndThoseOfOneNotAtAll() throws {
        let best = RankingObservations.Group(scores: [2, 1], relevances: [1, 0])
        let worst = RankingObservations.Group(scores: [1, 2], relevances: [1, 0])
        let single = RankingObservations.Group(scores: [1], relevances: [1])
        let data = Observations.rankings(RankingObservations(groups: [best, single, worst]))
        #expect(abs(try data.value(of: .ndcg) - (1 + 0.6309297535714575) / 2) < 1e-15)
        #expect(try data.estimate(of: .ndcg).count == 2)
        let lone = Observations.rankings(RankingObservations(groups: [single]))
        #expect(throws: UndefinedMetric(.ndcg, "no group has two candidates")) { try lone.value(of: .ndcg) }
        let negative = RankingObservations.Group(scores: [1, 2], relevances: [1, -1])
        #expect(throws: UndefinedMetric.self) {
            try Observations.rankings(RankingObservations(groups: [negative])).value(of: .ndcg)
        }
    }
}
