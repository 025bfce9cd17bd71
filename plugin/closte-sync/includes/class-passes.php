<?php
/**
 * Has the carried engine make passes: in the requests of WP-Cron, where no visitor waits, and after changes.
 *
 * Whose turn it is, is written down before a pass begins, so that of several requests one makes it, and so that a
 * pass that dies is tried again. A visit costs no query of ours.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The passes.
 */
final class Passes {

	/**
	 * When the next pass is due. The engine writes it at the end of each pass, and so do we.
	 */
	const NEXT = 'closte_sync_next';

	/**
	 * JSON: how passes went, see `runs`.
	 */
	const OPTION = 'closte_sync_runs';

	/**
	 * The event that has WordPress call WP-Cron when a pass is due. The pass is made whatever the events were.
	 */
	const EVENT = 'closte_sync_pass';

	/**
	 * After a detached pass was started, WP-Cron looks whether it was heard of, in seconds.
	 */
	const LOOK_AFTER = 60;

	/**
	 * The most sites whose events are cleared.
	 */
	const MOST_SITES = 500;

	/**
	 * Whether this plugin is being deactivated.
	 *
	 * @var bool
	 */
	private static $is_over = false;

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( self::EVENT, '__return_null' );
		// Before the nudge: what this pass sees need not be told.
		add_action( 'shutdown', array( self::class, 'at_the_end' ), PHP_INT_MAX - 1 );
		add_action( 'add_site_option_' . Ultimate_Multisite::INTEGRATIONS, array( self::class, 'switched' ), 10, 2 );
		add_action( 'update_site_option_' . Ultimate_Multisite::INTEGRATIONS, array( self::class, 'switched' ), 10, 3 );
		register_activation_hook( FILE, array( self::class, 'begin' ) );
		register_deactivation_hook( FILE, array( self::class, 'leave' ) );
	}

	/**
	 * How passes went.
	 *
	 * @return array `failures` (how many in a row failed), `since` (the first of them), `is_mailed` (whether that was), `begun` (when the
	 *               pass was begun that has not ended; 0 for none), `claimed` (when the next is due if that does not say) and `due` (when that one was), `last` (the last pass:
	 *               `at`, `seconds`, `exit`, `signal`, `spoke` (whether it said how it ended) and what `Pass_Rules::meaning`
	 *               says; null for none) and `detached`.
	 */
	public static function runs() {
		return self::tidy( Engine::stored( self::OPTION ) );
	}

	/**
	 * Detached passes, judged by what is known now.
	 *
	 * @return array See `Pass_Rules`.
	 */
	public static function detached() {
		return self::judged( self::runs() );
	}

	/**
	 * When the next pass is due.
	 *
	 * @return int 0 for at once.
	 */
	public static function next() {
		return Pass_Rules::time( Engine::stored( self::NEXT ) );
	}

	/**
	 * The plugin was activated: the first pass is due.
	 */
	public static function begin() {
		if ( ! is_multisite() || ! Carried::is_there() ) {
			return;
		}
		Engine::forget();
		Carried::look();
		self::try_again();
		Nudge::mark( 'activation' );
	}

	/**
	 * Closte was switched: where it is on now, a pass is due. The nudge follows anyway.
	 *
	 * @param string $option Its name.
	 * @param mixed  $now    The switches.
	 * @param mixed  $before As they were.
	 */
	public static function switched( $option, $now, $before = null ) {
		if ( Carried::is_there() && Ultimate_Multisite::has_closte( $now ) && ! Ultimate_Multisite::has_closte( $before ) ) {
			Network_Options::write( self::NEXT, (string) time() );
			Engine::forget();
		}
	}

	/**
	 * The plugin is deactivated: no more passes.
	 */
	public static function leave() {
		self::$is_over = true;
		self::clear_events();
	}

	/**
	 * Clear our events. On a very large network some stay, and each of them ends when it is due.
	 */
	public static function clear_events() {
		$sites = array(
			'fields'     => 'ids',
			'network_id' => get_current_network_id(),
			'number'     => self::MOST_SITES,
		);
		foreach ( array_unique( array_merge( array( get_main_site_id() ), get_sites( $sites ) ) ) as $site ) {
			switch_to_blog( $site );
			if ( false !== wp_next_scheduled( self::EVENT ) ) {
				wp_clear_scheduled_hook( self::EVENT );
			}
			restore_current_blog();
		}
	}

	/**
	 * Forget what failed, and have a pass made soon.
	 */
	public static function try_again() {
		self::change(
			static function ( $runs ) {
				$runs['failures'] = 0;
				$runs['detached'] = self::tidy( null )['detached'];
				return $runs;
			}
		);
		Network_Options::write( self::NEXT, (string) time() );
		Engine::forget();
		self::keep_event( time(), array( get_main_site_id() ), false );
	}

	/**
	 * A request ends: if it is WP-Cron's, whichever site's, and a pass is due, make it.
	 */
	public static function at_the_end() {
		if ( ! wp_doing_cron() || self::$is_over || ! Carried::is_there() || ! Ultimate_Multisite::is_there() ) {
			return;
		}
		try {
			self::attend( time() );
		} catch ( \Throwable $error ) {
			// Whatever it was must not look like a failure of the events that WP-Cron was called for.
			if ( ! self::is_deleted() ) {
				self::fail( $error->getMessage(), time() );
			}
		}
	}

	/**
	 * Something changed, the page is done and nobody waits: have a pass made now, or soon.
	 */
	public static function nudge() {
		Engine::forget();
		$now = time();
		if ( self::$is_over || ! Engine::is_switched_on() || null !== Carried::obstacle() ) {
			return;
		}
		if ( ! Carried::is_able() ) {
			// To look takes a moment, and some servers keep the visitor until all is done: so WP-Cron looks.
			self::hurry( $now );
			return;
		}
		$delay      = null;
		$is_changed = self::change(
			static function ( $runs ) use ( &$delay, $now ) {
				$judged = self::judged( $runs );

				list( $delay, $runs['detached'] ) = Pass_Rules::start_detached( $judged, $now, self::next() );
				return $runs;
			}
		);
		if ( Pass_Rules::is_given_up( self::runs()['detached'] ) ) {
			self::hurry( $now );
		} elseif ( null !== $delay && $is_changed ) {
			Engine_Process::detached( Carried::known()['where'], $delay );
			self::keep_event( $now + self::LOOK_AFTER, array( get_main_site_id() ), false );
		}
	}

	/**
	 * Make the pass that is due, if it is ours to make.
	 *
	 * @param int $now The time.
	 */
	private static function attend( $now ) {
		Engine::forget();
		if ( ! Engine::is_switched_on() ) {
			return;
		}
		if ( ! Pass_Rules::is_due( Engine::stored( self::NEXT ), $now ) ) {
			self::keep_event( self::next(), array( get_current_blog_id() ), true );
			return;
		}
		if ( ! Carried::refresh() ) {
			Pass_Mails::obstacle( $now );
			Pass_Mails::send();
			return;
		}
		self::change(
			static function ( $runs ) {
				$runs['detached'] = self::judged( $runs );
				return $runs;
			}
		);
		$until = self::claim( $now );
		if ( null === $until ) {
			return;
		}
		self::keep_event( $until, self::sites(), true );
		if ( function_exists( 'set_time_limit' ) ) {
			// phpcs:ignore -- Where it is forbidden, PHP's own limit stands.
			@set_time_limit( 300 );
		}
		Nudge::forget();
		$outcome = Engine_Process::attached( Carried::known()['where'] );
		if ( self::is_deleted() ) {
			return;
		}
		Engine::forget();
		self::note( $outcome, time() );
		self::keep_event( self::next(), self::sites(), true );
	}

	/**
	 * Whether this plugin was deleted while this request went on: then nothing of it is stored any more.
	 *
	 * @return bool
	 */
	private static function is_deleted() {
		clearstatcache( true, Carried::program() );
		return ! Carried::is_there();
	}

	/**
	 * Claim the pass that is due.
	 *
	 * @param int $now The time.
	 * @return int|null When it is due again if it does not say; null where somebody else has it.
	 */
	private static function claim( $now ) {
		$stored = Network_Options::raw( array( self::NEXT ) )[ self::NEXT ];
		if ( null === $stored ) {
			Network_Options::write_first( self::NEXT, '0' );
			$stored = '0';
		}
		$runs = self::runs();
		$due  = Pass_Rules::promised( $stored, $runs );
		// Neither the request that began it nor the engine came to its end.
		$is_cut_short = 0 < $runs['begun'] && Pass_Rules::time( $stored ) === $runs['claimed'];
		$until        = $now + Pass_Rules::pause( $runs['failures'] + ( $is_cut_short ? 1 : 0 ) );
		if ( ! Pass_Rules::is_due( $stored, $now ) || ! Network_Options::exchange( self::NEXT, $stored, (string) $until ) ) {
			return null;
		}
		self::change(
			static function ( $runs ) use ( $until, $due, $now, $is_cut_short ) {
				if ( $is_cut_short ) {
					$error = array(
						'what' => __( 'the request of WP-Cron was ended before the pass was', 'closte-sync' ),
						'hint' => __( 'ask the host to let requests take a minute', 'closte-sync' ),
					);
					$runs  = self::counted( $runs, array( 'error' => $error ), $runs['begun'] );
				}
				$runs['begun']   = $now;
				$runs['claimed'] = $until;
				$runs['due']     = $due;
				return $runs;
			}
		);
		if ( $is_cut_short ) {
			// This one may be ended, too, before it comes to its mails.
			Pass_Mails::failing( $now );
			Pass_Mails::send();
		}
		return $until;
	}

	/**
	 * Keep how a pass went, and mail what is to be told.
	 *
	 * @param array $outcome Of the pass.
	 * @param int   $now     The time.
	 */
	private static function note( array $outcome, $now ) {
		$meaning = Pass_Rules::meaning( $outcome );
		$last    = array(
			'seconds' => round( $outcome['seconds'], 1 ),
			'exit'    => $outcome['exit'],
			'signal'  => $outcome['signal'],
			'error'   => $meaning['error'],
			'spoke'   => null !== $outcome['end'],
			'cpu_ms'  => $meaning['cpu_ms'],
			'peak_kb' => $meaning['peak_kb'],
		);
		self::settle( $meaning['is_busy'] ? null : $last, $meaning['told'], $now );
	}

	/**
	 * Keep that a pass failed, and mail it where that is to be told.
	 *
	 * @param string $what Why.
	 * @param int    $now  The time.
	 */
	private static function fail( $what, $now ) {
		$error = array(
			'what' => mb_substr( $what, 0, Engine::LONGEST, 'UTF-8' ),
			'hint' => '',
		);
		self::settle( array( 'error' => $error ), '', $now );
	}

	/**
	 * A pass is over.
	 *
	 * @param array|null $last How it went; null where another closte-sync was at work.
	 * @param string     $told Its news; empty for none.
	 * @param int        $now  The time.
	 */
	private static function settle( $last, $told, $now ) {
		self::change(
			static function ( $runs ) use ( $last, $now ) {
				$runs = null === $last ? $runs : self::counted( $runs, $last, $now );

				$runs['begun'] = 0;
				return $runs;
			}
		);
		Pass_Mails::told( $told, $now );
		Pass_Mails::failing( $now );
		Pass_Mails::send();
	}

	/**
	 * Count a pass.
	 *
	 * @param array $runs How passes went before.
	 * @param array $last How this one went, as far as it is known.
	 * @param int   $at   When.
	 * @return array How passes went.
	 */
	private static function counted( array $runs, array $last, $at ) {
		$is_well = null === $last['error'];
		if ( $is_well && 0 < $runs['failures'] ) {
			// What kept these from their end may be why the detached ones were not heard of.
			$runs['detached'] = self::tidy( null )['detached'];
		}
		$runs['since']     = $is_well || 0 === $runs['failures'] ? $at : $runs['since'];
		$runs['failures']  = $is_well ? 0 : $runs['failures'] + 1;
		$runs['is_mailed'] = ! $is_well && $runs['is_mailed'];
		$runs['last']      = $last + array(
			'at'      => $at,
			'seconds' => null,
			'exit'    => null,
			'signal'  => null,
			'spoke'   => false,
			'cpu_ms'  => null,
			'peak_kb' => null,
		);
		return $runs;
	}

	/**
	 * That these failures were mailed.
	 */
	public static function note_mailed() {
		self::change(
			static function ( $runs ) {
				$runs['is_mailed'] = true;
				return $runs;
			}
		);
	}

	/**
	 * Have the next pass made at the next request of WP-Cron.
	 *
	 * @param int $now The time.
	 */
	private static function hurry( $now ) {
		if ( self::next() > $now ) {
			Network_Options::write( self::NEXT, (string) $now );
			Engine::forget();
		}
		self::keep_event( $now, array( get_main_site_id() ), false );
	}

	/**
	 * Keep the event scheduled.
	 *
	 * @param int   $at       When.
	 * @param int[] $sites    On which.
	 * @param bool  $is_exact Whether an earlier one goes.
	 */
	private static function keep_event( $at, array $sites, $is_exact ) {
		$at = max( $at, time() );
		foreach ( array_unique( $sites ) as $site ) {
			switch_to_blog( $site );
			$stands = wp_next_scheduled( self::EVENT );
			if ( false === $stands || $stands > $at || ( $is_exact && $stands !== $at ) ) {
				wp_clear_scheduled_hook( self::EVENT );
				wp_schedule_single_event( $at, self::EVENT );
			}
			restore_current_blog();
		}
	}

	/**
	 * The sites whose WP-Cron makes our passes: the main one, and the one whose request this is.
	 *
	 * @return int[]
	 */
	private static function sites() {
		return array( get_current_blog_id(), get_main_site_id() );
	}

	/**
	 * Detached passes, judged by what is known now. After an update they are tried again.
	 *
	 * @param array $runs How passes went.
	 * @return array See `Pass_Rules`.
	 */
	private static function judged( array $runs ) {
		if ( Plugin::version() !== $runs['detached']['version'] ) {
			return array( 'version' => Plugin::version() ) + self::tidy( null )['detached'];
		}
		$now = array(
			'time'    => time(),
			'next'    => self::next(),
			'claimed' => $runs['claimed'],
			'heard'   => Engine::heard_at(),
		);
		return Pass_Rules::judge_detached( $runs['detached'], $now );
	}

	/**
	 * Change how passes went.
	 *
	 * @param callable $change Given it, returns what it is then.
	 * @return bool Whether it is another now, and stored.
	 */
	private static function change( callable $change ) {
		$is_changed = Network_Options::change(
			self::OPTION,
			static function ( $stored ) use ( $change ) {
				$runs = (string) wp_json_encode( $change( self::tidy( $stored ) ), JSON_INVALID_UTF8_SUBSTITUTE );
				return $runs === $stored ? null : $runs;
			}
		);
		Engine::forget();
		return $is_changed;
	}

	/**
	 * How passes went, in the types that it has.
	 *
	 * @param mixed $stored As it is stored.
	 * @return array
	 */
	private static function tidy( $stored ) {
		$none = array(
			'failures'  => 0,
			'since'     => 0,
			'is_mailed' => false,
			'begun'     => 0,
			'claimed'   => 0,
			'due'       => 0,
			'last'      => null,
		);
		$runs = Engine::decode( $stored );
		$last = array(
			'at'      => 0,
			'unheard' => 0,
			'since'   => 0,
			'next'    => 0,
			'version' => '',
		);

		$none['detached'] = $last;
		$runs             = array_intersect_key( $runs, $none ) + $none;
		$runs['detached'] = array_intersect_key( (array) $runs['detached'], $last ) + $last;
		return $runs;
	}
}
